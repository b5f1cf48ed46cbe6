"""The card beside a file of weights: what they are, from what, how, and how good."""

from __future__ import annotations

import hashlib
from pathlib import Path


def write(card: str, *, of: Path) -> None:
    """Puts `card`, in Markdown, beside the weights in the file `of`, with their checksum."""
    digest = hashlib.sha256(of.read_bytes()).hexdigest()
    of.with_suffix(".md").write_text(f"{card}\nsha256 {digest}\n", encoding="utf-8")
