"""The upper layers of a model alone, from what the lower ones made once.

What enters: a Llama-like model, with an adapter on its upper layers or without, and prompts that begin alike. What
leaves: what the model says after each prompt, with gradients where torch keeps them. The layers below an adapter are
frozen, so that what they make of a prompt is the same at every step and for every adapter: it is made once and kept.
With 8 of 30 layers above, a step costs less than a third; many short prompts and many adapters become affordable. The
adapters are the whole model's own modules, and are saved as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from memoria.errors import InvalidInput

_KNOWN = frozenset({"llama", "qwen2", "qwen3"})  # architectures of the same parts
_AT_ONCE = 16  # prompts in one pass through the lower layers


@dataclass(frozen=True)
class Below:
    """What the lower layers made: of what all prompts begin with, (p, width), and of the rest of each, one after the
    other, (all, width). The rest of prompt n lies from `ends[n - 1]` (the first: 0) to `ends[n]`."""

    common: Any
    rest: Any
    ends: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ends)

    @classmethod
    def joined(cls, parts: Sequence[Below]) -> Below:
        """Parts of one whole, made with the same beginning."""
        torch: Any = import_module("torch")
        ends, before = list[int](), 0
        for part in parts:
            ends += [before + end for end in part.ends]
            before = ends[-1]
        return cls(parts[0].common, torch.cat([part.rest for part in parts]), tuple(ends))

    def of(self, place: int) -> Any:
        """The states of one prompt without its beginning."""
        return self.rest[self.ends[place - 1] if place else 0 : self.ends[place]]


@dataclass(frozen=True)
class _Layout:
    mask: Any
    positions: Any
    turned: Any  # cosines and sines of the positions


class UpperLayers:
    """`model` (PEFT's, or a bare causal one), cut below its upper `layers`."""

    def __init__(self, model: Any, layers: int) -> None:
        causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        count = int(causal.config.num_hidden_layers)
        if causal.config.model_type not in _KNOWN or getattr(causal.config, "sliding_window", None):
            raise InvalidInput(f"A model of type {causal.config.model_type!r} cannot be cut; name a Llama-like one.")
        if not 1 <= layers <= count:
            raise InvalidInput(f"The model has {count} layers; {layers} of them cannot be trained.")
        self._torch: Any = import_module("torch")
        self._head, self._parts = causal.get_output_embeddings(), causal.base_model
        self._lower, self._upper = self._parts.layers[: count - layers], self._parts.layers[count - layers : count]

    def below(self, prompts: Sequence[Sequence[int]], shared: int | None = None) -> Below:
        """What the lower layers make of prompts (their tokens), whose first `shared` are alike (None: see which)."""
        shared = common(prompts) if shared is None else shared
        begins, rests, ends, all_so_far = None, list[Any](), list[int](), 0
        with self._torch.inference_mode():
            for begin in range(0, len(prompts), _AT_ONCE):
                batch = [list(each[shared:]) for each in prompts[begin : begin + _AT_ONCE]]
                ids = [*prompts[begin][:shared], *(token for each in batch for token in each)]
                states = self._parts.embed_tokens(self._torch.tensor([ids]))
                states = self._through(self._lower, states, self._layout(states, shared, [*map(len, batch)]))[0]
                begins = states[:shared].clone() if begins is None else begins
                rests.append(states[shared:].clone())
                for each in batch:
                    all_so_far += len(each)
                    ends.append(all_so_far)
        return Below(begins, self._torch.cat(rests), tuple(ends))

    def logits(self, below: Below, places: Sequence[int]) -> Any:
        """What the model says after each of these prompts: (n, vocabulary)."""
        torch, rows = self._torch, [below.of(place) for place in places]
        states = torch.cat([below.common, *rows])[None].clone()  # clone: out of inference mode
        sizes = [len(each) for each in rows]
        layout = self._layout(states, len(below.common), sizes)
        states = self._through(self._upper[:-1], states, layout)
        ends = torch.tensor(sizes).cumsum(0) + len(below.common) - 1
        return self._head(self._parts.norm(self._last(self._upper[-1], states, layout, ends))[0])

    def _layout(self, states: Any, shared: int, sizes: Sequence[int]) -> _Layout:
        """How prompts lie in one sequence, each seeing the common beginning and itself."""
        torch = self._torch
        positions = torch.tensor([*range(shared), *(shared + place for size in sizes for place in range(size))])
        numbers = [0] * shared + [number for number, size in enumerate(sizes, 1) for _ in range(size)]
        owner = torch.tensor(numbers)
        sees = (owner[None, :] == 0) | (owner[None, :] == owner[:, None])
        sees &= positions[None, :] <= positions[:, None]
        mask = torch.zeros(sees.shape, dtype=states.dtype).masked_fill(~sees, torch.finfo(states.dtype).min)
        return _Layout(mask[None, None], positions[None], self._parts.rotary_emb(states, positions[None]))

    def _through(self, layers: Any, states: Any, layout: _Layout) -> Any:
        for layer in layers:
            states = layer(
                states,
                attention_mask=layout.mask,
                position_ids=layout.positions,
                position_embeddings=layout.turned,
                use_cache=False,
            )
        return states

    def _last(self, layer: Any, states: Any, layout: _Layout, ends: Any) -> Any:
        """The last layer, which need only say what follows the prompts' `ends`: a quarter of its work."""
        attention, rotate = layer.self_attn, import_module(type(layer).__module__).apply_rotary_pos_emb
        normed = layer.input_layernorm(states)

        def heads(projected: Any) -> Any:
            return projected.view(1, projected.shape[1], -1, attention.head_dim)

        asked, keys = heads(attention.q_proj(normed[:, ends])), heads(attention.k_proj(normed))
        if hasattr(attention, "q_norm"):
            asked, keys = attention.q_norm(asked), attention.k_norm(keys)
        cos, sin = layout.turned
        asked, _ = rotate(asked.transpose(1, 2), asked.transpose(1, 2), cos[:, ends], sin[:, ends])
        keys, _ = rotate(keys.transpose(1, 2), keys.transpose(1, 2), cos, sin)
        values = heads(attention.v_proj(normed)).transpose(1, 2)
        found = self._torch.nn.functional.scaled_dot_product_attention(
            asked, keys, values, attn_mask=layout.mask[:, :, ends], scale=attention.scaling, enable_gqa=True
        )
        residual = states[:, ends] + attention.o_proj(found.transpose(1, 2).reshape(1, len(ends), -1))
        return residual + layer.mlp(layer.post_attention_layernorm(residual))


def common(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with, at least one token of each left."""
    if not prompts or min(len(each) for each in prompts) < 2:
        raise InvalidInput("There are no prompts of two tokens or more; name some.")
    least = min(len(each) for each in prompts) - 1
    first = prompts[0]
    return next((at for at in range(least) if any(each[at] != first[at] for each in prompts)), least)
