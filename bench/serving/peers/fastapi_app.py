"""The server that a tutorial writes: one text a call, in FastAPI's threads."""

from fastapi import FastAPI
from pydantic import BaseModel
from shared import Classifier

app = FastAPI()
classifier = Classifier()


class Asked(BaseModel):
    text: str


@app.post("/predict")
def predict(asked: Asked) -> dict:
    return classifier([asked.text])[0]
