"""What a training makes smaller: the answers' NLL, DPO's loss, the distance from a teacher.

What enters: a model with an adapter, and a batch of encoded rows. What leaves: a loss, a scalar tensor with gradients.

- SFT: the mean over all answers' tokens; with a `margin`, beside it, how much likelier a token each answer is than the
  one that was turned down for it. The answers' likelihood alone raises both, for they share most of their words. The
  margin is SimPO's (Meng et al., 2024), beside the likelihood as in CPO (Xu et al., 2024): no reference is needed.
- DPO: Rafailov et al., Direct Preference Optimization (2023), with a weighted SFT term on the chosen answers, without
  which a small model's chosen answers become less likely as well (RPO: Liu et al., 2024), and with MODPO's margin
  where there are other aims (`aims`).
- KL: context distillation, Askell et al., A General Language Assistant (2021): the same model with the memory in its
  prompt is the teacher of the model without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from memoria.models.likelihood import Encoded, answer_logits, answer_logps

_SHARPNESS, _LEAD = 2.0, 0.5  # of the margin's sigmoid, and how much likelier is enough, in nats a token


@dataclass(frozen=True)
class LessonRows:
    """A lesson, encoded."""

    taken: Encoded
    left: Encoded | None = None


@dataclass(frozen=True)
class PairRows:
    """A pair, encoded, how likely the reference found its answers as wholes (log-probabilities), and by how much other
    aims set the chosen one `ahead`."""

    chosen: Encoded
    rejected: Encoded
    reference: tuple[float, float]
    ahead: float = 0.0


@dataclass(frozen=True)
class TaughtRows:
    """The same answer after the student's prompt and after the teacher's, which has the memory in it."""

    student: Encoded
    teacher: Encoded


def sft(model: Any, batch: Sequence[LessonRows], margin: float = 0.0) -> Any:
    """The mean NLL of the answers' tokens, and `margin` times the loss of those that another was turned down for."""
    torch: Any = import_module("torch")
    left = [(number, each.left) for number, each in enumerate(batch) if margin and each.left is not None]
    logps = answer_logps(model, [*(each.taken for each in batch), *(row for _, row in left)])
    loss = -torch.cat(logps[: len(batch)]).mean()
    if not left:
        return loss
    likelier = torch.stack([logps[at].mean() - logps[len(batch) + n].mean() for n, (at, _) in enumerate(left)])
    return loss + margin * torch.nn.functional.softplus(_SHARPNESS * (_LEAD - likelier)).mean()


def dpo(model: Any, batch: Sequence[PairRows], beta: float, weight: float, own: float = 1.0) -> Any:
    """DPO's loss at temperature `beta`, and `weight` times the chosen answers' mean NLL. `own`: the weight of the pairs
    beside other aims (1: there are none)."""
    torch: Any = import_module("torch")
    rows = [each.chosen for each in batch] + [each.rejected for each in batch]
    logps = answer_logps(model, rows)
    sums = torch.stack([each.sum() for each in logps])
    before = torch.tensor([each.reference for each in batch], dtype=sums.dtype, device=sums.device)
    chosen, rejected = sums[: len(batch)] - before[:, 0], sums[len(batch) :] - before[:, 1]
    ahead = torch.tensor([each.ahead for each in batch], dtype=sums.dtype, device=sums.device)
    loss = -torch.nn.functional.logsigmoid((beta * (chosen - rejected) - ahead) / own).mean()
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
