"""Nodes in order + the comments of their source -> lines: where each comment and each blank line goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from dsl.layout import HARD, Doc, Group, Nest, joined, render
from dsl.lexer import Comment
from dsl.source import Span

WIDTH = 100

Place = tuple[int, int]  # line and column in the source


class Node(Protocol):
    @property
    def span(self) -> Span: ...


T = TypeVar("T", bound=Node)


class Page:
    """Lines under construction; ``last`` is the line of the source on which the last thing written ended."""

    def __init__(self, comments: Sequence[Comment]) -> None:
        self.comments = comments
        self.next = 0  # the first comment that is not yet written
        self.lines: list[str] = []
        self.depth = 0
        self.last = 0
        self.at_start = True  # of the file or of a block: no blank line here

    def items(self, nodes: Sequence[T], show: Callable[[T], None], end: Place) -> None:
        """Write nodes, each with the comments around it; ``end`` is where their block ends."""
        for index, node in enumerate(nodes):
            self._comments_before(_start(node))
            show(node)
            self._comment_after(node.span.end_line, _start(nodes[index + 1]) if index + 1 < len(nodes) else end)
        self._comments_before(end)

    def leaf(self, node: Node, doc: Doc) -> None:
        """A node without items of its own; the comments inside it go above it."""
        span = node.span
        self._comments_before((span.end_line, span.end_column), span.line)
        self._write(self._text(doc), span.line, span.end_line)

    def headed(self, node: Node, head: Doc, body_start: Place, rest: Sequence[Doc]) -> None:
        """A leaf whose body starts on a line of its own; a comment that ends the line of the head stays there."""
        span = node.span
        comment = self._take(span.line, body_start)
        self._comments_before((span.end_line, span.end_column), span.line)
        if comment is None:
            self._write(self._text(Group([head, Nest([HARD, *rest])])), span.line, span.end_line)
            return
        self._write(f"{self._text(head)}  {comment.text}", span.line, span.line)
        self.depth += 1
        self._write(self._text(Group(rest)), self.last + 1, span.end_line)
        self.depth -= 1

    def block(self, node: Node, head: Doc, nodes: Sequence[T], inline: Callable[[T], Doc], show: Callable[[T], None]) -> None:
        """``head { nodes }``: on one line if it was and fits and holds no comment, else one item on each line."""
        span = node.span
        end = (span.end_line, span.end_column - 1)
        commented = self.next < len(self.comments) and self._place(self.next) < end
        if not commented and (span.line == span.end_line or not nodes):
            inside = [*joined([inline(each) for each in nodes], ["; "]), " "] if nodes else []
            text = self._text(Group([head, " { ", *inside, "}"]))
            if "\n" not in text and len(text) + 2 * self.depth <= WIDTH:
                self._write(text, span.line, span.end_line)
                return
        comment = self._take(span.line, _start(nodes[0]) if nodes else end)
        self._write(self._text(Group([head, " {"])) + (f"  {comment.text}" if comment is not None else ""), span.line, span.line)
        self.at_start = True
        self.depth += 1
        self.items(nodes, show, end)
        self.depth -= 1
        self.lines.append("  " * self.depth + "}")
        self.last, self.at_start = span.end_line, False

    # ------------------------------------------------------------ lines and comments

    def _text(self, doc: Doc) -> str:
        return render(doc, 2 * self.depth, 2 * self.depth, WIDTH)

    def _write(self, text: str, line: int, end_line: int) -> None:
        """One thing that stood on these lines of the source, after a blank line if one stood before it there."""
        if line - self.last > 1 and not self.at_start:
            self.lines.append("")
        self.lines += ("  " * self.depth + text).split("\n")
        self.last, self.at_start = max(self.last, end_line), False

    def _place(self, index: int) -> Place:
        return self.comments[index].line, self.comments[index].column

    def _comments_before(self, place: Place, cap: int | None = None) -> None:
        """The comments that start before ``place``, each on its own line, as if none of them stood below line ``cap``."""
        while self.next < len(self.comments) and self._place(self.next) < place:
            comment = self.comments[self.next]
            self.next += 1
            line = comment.line if cap is None else min(comment.line, cap)
            self._write(comment.text, line, line)

    def _take(self, line: int, limit: Place) -> Comment | None:
        """The next comment, if it stands on ``line`` of the source and before ``limit``."""
        if self.next == len(self.comments) or self.comments[self.next].line != line or self._place(self.next) >= limit:
            return None
        self.next += 1
        return self.comments[self.next - 1]

    def _comment_after(self, line: int, limit: Place) -> None:
        comment = self._take(line, limit)
        if comment is not None:
            self.lines[-1] += f"  {comment.text}"


def _start(node: Node) -> Place:
    return node.span.line, node.span.column
