"""Numbers in documents: between markers, and written by the command that measured them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bulkhead.report.files import write_text

_BLOCK = re.compile(
    r"(<!-- numbers: begin; (?P<name>[\w-]+) -->\n).*?(<!-- numbers: end -->)", re.DOTALL
)


class DocumentError(Exception):
    """A document has not the markers that its numbers need; the message says which."""


def with_numbers(text: str, sections: Mapping[str, str]) -> str:
    """Return a document with the text between its markers replaced.

    Args:
        text: with a pair ``<!-- numbers: begin; NAME -->``, ``<!-- numbers: end -->`` per section.
        sections: Markdown by name.

    Raises:
        DocumentError: a section has no markers, or markers have no section, or a name comes twice.
    """
    found = [match["name"] for match in _BLOCK.finditer(text)]
    if len(set(found)) != len(found):
        raise DocumentError(f"markers of the same name: {', '.join(found)}")
    if wrong := set(found) ^ set(sections):
        raise DocumentError(f"markers without numbers or the reverse: {', '.join(sorted(wrong))}")
    return _BLOCK.sub(lambda m: f"{m[1]}\n{sections[m['name']].strip()}\n\n{m[3]}", text)


def numbers_in(text: str) -> dict[str, str]:
    """Return what stands between the markers, by name."""
    return {
        match["name"]: match[0].partition("-->\n")[2].rpartition("<!--")[0].strip()
        for match in _BLOCK.finditer(text)
    }


def write_numbers(document: Path, sections: Mapping[str, str]) -> None:
    """Replace the numbers of a document.

    Raises:
        DocumentError: see ``with_numbers``.
        OSError: the file cannot be read or written.
    """
    write_text(document, with_numbers(document.read_text(encoding="utf-8"), sections))


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """Return a table; the first columns hold words, the others numbers, which stand right.

    Args:
        head: names of the columns.
        rows: cells.
        words: how many columns hold words.
    """
    rule = ["---" if i < words else "---:" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
