"""The classifier as MLflow's server calls it: a request's rows at once."""

import os
import sys

import mlflow

sys.path.insert(0, os.environ["BENCH_PEERS"])


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context) -> None:
        from shared import Classifier

        self.model = Classifier()

    def predict(self, context, model_input: list[str], params=None) -> list[dict]:
        return self.model(list(model_input))


mlflow.models.set_model(Model())
