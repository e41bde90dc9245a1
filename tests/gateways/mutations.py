"""Genuine objects with something wrong somewhere, and JSON that means nothing at all."""

import copy
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st

# Each example signs, encodes and reads a whole object: some dozens for each kind are enough.
FEW: Final = settings(max_examples=40, deadline=None)
# PostgreSQL cannot store NUL, so a body that holds it is refused before it is read.
_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1), max_size=8)
_LEAVES: Final = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _TEXT
)
ANY_JSON: Final = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=4,
)


@st.composite
def mutated(draw: st.DrawFn, genuine: dict[str, Any]) -> dict[str, Any]:
    """``genuine`` with one or two of its members, at any depth, replaced or left out."""
    made = copy.deepcopy(genuine)
    for _ in range(draw(st.integers(1, 2))):
        holder, name = draw(st.sampled_from(list(_places(made))))
        if draw(st.booleans()):
            holder[name] = draw(ANY_JSON)
        else:
            holder.pop(name, None)
        if not made:
            break
    return made


def _places(node: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        yield node, name
        yield from _places(value)
