"""What a training makes smaller: the answers' NLL, DPO's loss, the distance from a teacher.

What enters: a model with an adapter, and a batch of encoded rows. What leaves: a loss, a scalar tensor with gradients.

- SFT: the mean over all answers' tokens.
- DPO: Rafailov et al., Direct Preference Optimization (2023), with a weighted SFT term on the chosen answers, without
  which a small model's chosen answers become less likely as well (RPO: Liu et al., 2024).
- KL: context distillation, Askell et al., A General Language Assistant (2021): the same model with the memory in its
  prompt is the teacher of the model without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from memoria.models.likelihood import Encoded, answer_logits, answer_logps


@dataclass(frozen=True)
class PairRows:
    """A pair, encoded, and how likely the reference found its answers as wholes (log-probabilities)."""

    chosen: Encoded
    rejected: Encoded
    reference: tuple[float, float]


@dataclass(frozen=True)
class TaughtRows:
    """The same answer after the student's prompt and after the teacher's, which has the memory in it."""

    student: Encoded
    teacher: Encoded


def sft(model: Any, batch: Sequence[Encoded]) -> Any:
    """The mean NLL of the answers' tokens."""
    torch: Any = import_module("torch")
    return -torch.cat(answer_logps(model, batch)).mean()


def dpo(model: Any, batch: Sequence[PairRows], beta: float, weight: float) -> Any:
    """DPO's loss at temperature `beta`, and `weight` times the chosen answers' mean NLL."""
    torch: Any = import_module("torch")
    rows = [each.chosen for each in batch] + [each.rejected for each in batch]
    logps = answer_logps(model, rows)
    sums = torch.stack([each.sum() for each in logps])
    before = torch.tensor([each.reference for each in batch], dtype=sums.dtype, device=sums.device)
    chosen, rejected = sums[: len(batch)] - before[:, 0], sums[len(batch) :] - before[:, 1]
    loss = -torch.nn.functional.logsigmoid(beta * (chosen - rejected)).mean()
    if not weight:
        return loss
    return loss - weight * torch.cat(logps[: len(batch)]).mean()


def kl(model: Any, batch: Sequence[TaughtRows]) -> Any:
    """The mean over the answers' tokens of the KL divergence of the student from the teacher."""
    torch: Any = import_module("torch")
    with torch.no_grad(), model.disable_adapter():
        taught = torch.log_softmax(answer_logits(model, [each.teacher for each in batch])[0].float(), -1)
    learnt = torch.log_softmax(answer_logits(model, [each.student for each in batch])[0].float(), -1)
    return torch.nn.functional.kl_div(learnt, taught, log_target=True, reduction="batchmean")


def reference(model: Any, chosen: Encoded, rejected: Encoded) -> tuple[float, float]:
    """How likely the model, as it is, finds two answers as wholes."""
    torch: Any = import_module("torch")
    with torch.no_grad():
        one, other = (float(each.sum()) for each in answer_logps(model, [chosen, rejected]))
    return one, other
