"""What calls to a model may cost, and have cost.

What enters: limits, prices, and the tokens of each call. What leaves: nothing, or `BudgetSpent` before a call that
would go beyond a limit. A call counts as estimated until its answer tells what it took.
"""

from __future__ import annotations

import threading

from memoria.errors import BudgetSpent, InvalidInput

_MILLION = 1_000_000


class Budget:
    """Limits in tokens (in and out together) and in money; None is without limit. Safe to share by threads.

    `price_in` and `price_out` are for a million tokens, in the money that `money` is in. Raises `InvalidInput` for a
    limit below zero, or one in money without both prices.
    """

    def __init__(
        self,
        *,
        tokens: int | None = None,
        money: float | None = None,
        price_in: float | None = None,
        price_out: float | None = None,
    ) -> None:
        for name, value in {"tokens": tokens, "money": money, "price_in": price_in, "price_out": price_out}.items():
            if value is not None and value < 0:
                raise InvalidInput(f"A budget's {name} cannot be {value}; give 0 or more, or None.")
        if money is not None and (price_in is None or price_out is None):
            raise InvalidInput("A budget in money needs price_in and price_out, each for a million tokens.")
        self._tokens, self._money = tokens, money
        self._prices = (price_in or 0.0, price_out or 0.0)
        self._lock = threading.Lock()
        self.tokens_in = self.tokens_out = 0

    @property
    def tokens(self) -> int:
        """Tokens spent, in and out."""
        return self.tokens_in + self.tokens_out

    @property
    def money(self) -> float:
        """Money spent, by the prices."""
        return self._cost(self.tokens_in, self.tokens_out)

    def reserve(self, tokens_in: int, tokens_out: int) -> None:
        """Count a call by its estimate. Raises `BudgetSpent`, and counts nothing, where that is more than is left."""
        with self._lock:
            tokens = self.tokens + tokens_in + tokens_out
            if self._tokens is not None and tokens > self._tokens:
                raise BudgetSpent(
                    f"The next call may take {tokens_in + tokens_out} tokens, and {self.tokens} of the budget's "
                    f"{self._tokens} are spent. What was read is kept; learn again with a larger budget."
                )
            money = self.money + self._cost(tokens_in, tokens_out)
            if self._money is not None and money > self._money:
                raise BudgetSpent(
                    f"The next call may cost {self._cost(tokens_in, tokens_out):.4f}, and {self.money:.4f} of the "
                    f"budget's {self._money:.4f} is spent. What was read is kept; learn again with a larger budget."
                )
            self.tokens_in += tokens_in
            self.tokens_out += tokens_out

    def settle(self, estimate: tuple[int, int], real: tuple[int, int]) -> None:
        """Replace a reserved estimate (tokens in, tokens out) by what the call took."""
        with self._lock:
            self.tokens_in += real[0] - estimate[0]
            self.tokens_out += real[1] - estimate[1]

    def _cost(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self._prices[0] + tokens_out * self._prices[1]) / _MILLION
