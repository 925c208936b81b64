"""What each marketing channel is worth: how many orders would be lost if it were not there.

The steps that people take between channels are read as a Markov chain that ends in an order or in
none. Taking a channel away sends whoever would have come to it to none.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

START, ORDER, NONE = "(start)", "(order)", "(none)"
DECIMALS = 9  # of the effects: sums of floats differ beyond them from run to run
SCHEMA = pa.schema([("marketing_channel", pa.string()), ("removal_effect", pa.float64())])
Matrix = npt.NDArray[np.float64]


def channel_credits(transitions: pa.Table) -> pa.Table:
    """The removal effect of every channel: the share of orders that are lost without it."""
    sources = transitions["from_channel"].to_pylist()
    channels = sorted(set(sources) - {START})
    moves, orders = _probabilities(transitions, [START, *channels])
    effects = [_removal_effect(moves, orders, row) for row in range(1, len(channels) + 1)]
    return pa.table([channels, np.round(effects, DECIMALS)], schema=SCHEMA)


def _probabilities(transitions: pa.Table, states: list[str]) -> tuple[Matrix, Matrix]:
    """Of every state: the chance of each next state, and that of an order."""
    place = {state: row for row, state in enumerate(states)}
    counts = np.zeros((len(states), len(states) + 2))
    ends = {ORDER: len(states), NONE: len(states) + 1}
    for row in transitions.to_pylist():
        counts[place[row["from_channel"]], (place | ends)[row["to_channel"]]] += row["transitions"]
    chances = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return chances[:, : len(states)], chances[:, len(states)]


def _removal_effect(moves: Matrix, orders: Matrix, row: int) -> float:
    """The share of orders that are lost when the channel in this row leads to none."""
    left_moves, left_orders = moves.copy(), orders.copy()
    left_moves[row], left_orders[row] = 0, 0
    all_orders = _chance_of_order(moves, orders)
    return 1 - _chance_of_order(left_moves, left_orders) / all_orders if all_orders > 0 else 0.0


def _chance_of_order(moves: Matrix, orders: Matrix) -> float:
    """The chance that somebody who starts ends with an order."""
    return float(np.linalg.solve(np.eye(len(orders)) - moves, orders)[0])
