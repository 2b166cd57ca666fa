"""The service that a tutorial writes, in stock FastAPI: what the harness is held against first."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Asked(BaseModel):
    inputs: list[str | dict]


@app.post("/predict/tiny")
def predict(asked: Asked) -> dict:
    return {"outputs": [{"label": "good"} for _ in asked.inputs]}


@app.get("/v2")
def about() -> dict:
    return {"extensions": []}
