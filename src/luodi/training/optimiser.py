"""AdamW over float32 masters of weights that may be kept in bfloat16."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Group:
    """Weights that are learnt alike: their names, their share of the rate, their decay."""

    parameters: Mapping[str, torch.nn.Parameter]
    rate: float = 1.0
    decay: float = 0.0


class MasterAdamW:
    """AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) with float32 masters.

    A bfloat16 weight has 8 bits: most updates would be rounded away. Each such weight therefore
    has a master in float32 that is updated and then rounded into it. A weight that is float32
    already is its own master.
    """

    def __init__(self, groups: Sequence[Group], betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self._names: list[str] = []
        self._working: list[torch.nn.Parameter] = []
        self._masters: list[torch.Tensor] = []
        self._rates: list[float] = []
        torch_groups = []
        for group in groups:
            masters = []
            for name, parameter in group.parameters.items():
                master = (
                    parameter
                    if parameter.dtype == torch.float32
                    else parameter.detach().float().clone().requires_grad_()
                )
                self._names.append(name)
                self._working.append(parameter)
                self._masters.append(master)
                masters.append(master)
            torch_groups.append({"params": masters, "weight_decay": group.decay, "lr": 0.0})
            self._rates.append(group.rate)
        self._adam = torch.optim.AdamW(torch_groups, lr=0.0, betas=betas, eps=1e-8, fused=True)

    def step(self, rate: float, most: float) -> float:
        """Move every weight by its gradient, after clipping the whole to the norm `most`.

        Returns:
            The norm before clipping; when it is not finite, nothing is moved.
        """
        for parameter, master in zip(self._working, self._masters, strict=True):
            if master is not parameter and parameter.grad is not None:
                master.grad = parameter.grad.float()
                parameter.grad = None
        norm = float(torch.nn.utils.clip_grad_norm_(self._masters, most))
        if math.isfinite(norm):
            for group, share in zip(self._adam.param_groups, self._rates, strict=True):
                group["lr"] = rate * share
            self._adam.step()
            self._round()
        self._adam.zero_grad(set_to_none=True)
        return norm

    def forget(self) -> None:
        """Drop the gradients without moving anything."""
        for parameter in self._working:
            parameter.grad = None

    def _round(self) -> None:
        with torch.no_grad():
            for parameter, master in zip(self._working, self._masters, strict=True):
                if master is not parameter:
                    parameter.copy_(master)

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of every master, by name."""
        pairs = zip(self._names, self._masters, strict=True)
        return {name: master.detach().clone() for name, master in pairs}

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Take masters from what `weights` returned, and round them into the working weights."""
        with torch.no_grad():
            for name, master in zip(self._names, self._masters, strict=True):
                master.copy_(weights[name])
        self._round()

    def state(self) -> dict[str, torch.Tensor]:
        """Moments and step counts, by name: what a resumed fit needs besides the weights."""
        found: dict[str, torch.Tensor] = {}
        for name, master in zip(self._names, self._masters, strict=True):
            for key, value in self._adam.state.get(master, {}).items():
                found[f"{key}/{name}"] = value
        return found

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take moments and step counts from what `state` returned."""
        for name, master in zip(self._names, self._masters, strict=True):
            kept = {
                key: state[f"{key}/{name}"].clone()
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"{key}/{name}" in state
            }
            if kept:
                self._adam.state[master] = kept
