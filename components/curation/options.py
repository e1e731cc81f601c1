r"""Options: the options of a multiple-choice question, and the answer, told from the text that holds them.

Public sets write the options into the question ("A. 3", "(A) 3 (B) 4") and the answer into a sentence or a tag ("The
answer is B", "\boxed{B}", "<answer> 3 </answer>"). Question texts stay as they are: a policy has to see its options.
"""

import re
from collections.abc import Sequence

_STYLES = (
    re.compile(r"^[ \t]*\(([A-J])\)[ \t]*", re.MULTILINE),
    re.compile(r"^[ \t]*([A-J])[.):、\uff1a\uff0e][ \t]*", re.MULTILINE),
    re.compile(r"(?:^|(?<=\s))\(([A-J])\)[ \t]*", re.MULTILINE),
    re.compile(r"(?:^|(?<=\s))([A-J])[.、\uff0e][ \t]*", re.MULTILINE),
)
"""How options are marked: in brackets or with a sign, at the beginning of lines, else within them."""
_BOXED = "\\boxed{"
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_SENTENCE = re.compile(r"(?:the\s+)?(?:final\s+)?answer\s*(?:is\s*:?|:)\s*(.+)", re.DOTALL | re.IGNORECASE)
_MARKER = re.compile(r"<image(?:[ _]?\d+)?>")
_HINT = re.compile(r"\s*Hint:[^\n]*\n\s*Question:\s*", re.IGNORECASE)


def find_options(question: str) -> list[str]:
    """The texts of a question's options, A first; none where it has none that can be told apart.

    The last run of marks that goes A, B, C … in one style counts, of two options or more with a text each.
    """
    for style in _STYLES:
        marks = _last_run(list(style.finditer(question)))
        if len(marks) < 2:
            continue
        ends = [mark.start() for mark in marks[1:]] + [_end_of_line(question, marks[-1].end())]
        texts = [question[mark.end() : end].strip(" \t\n,;") for mark, end in zip(marks, ends, strict=True)]
        if all(texts):
            return texts
    return []


def choices_of(question: str, answer: str) -> list[str]:
    """The options of a question, where its answer names one of them by its letter or by its text."""
    options = find_options(question)
    letter = answer.strip().strip("().").upper()
    named = len(letter) == 1 and 0 <= ord(letter) - ord("A") < len(options)
    return options if named or answer.strip() in options else []


def lettered(options: Sequence[str]) -> str:
    """Options as lines of a question: "A. …"."""
    return "\n".join(f"{chr(ord('A') + place)}. {option}" for place, option in enumerate(options))


def unboxed(text: str) -> str | None:
    r"""What the last \boxed{…} of a text holds; None where there is none or it is not closed."""
    start = text.rfind(_BOXED)
    if start < 0:
        return None
    depth = 1
    for place in range(start + len(_BOXED), len(text)):
        escaped = text[place - 1] == "\\"
        depth += 0 if escaped else {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start + len(_BOXED) : place].strip()
    return None


def tagged(text: str) -> str | None:
    """What the last <answer>…</answer> of a text holds; None where there is none."""
    found = _TAGGED.findall(text)
    return str(found[-1]).strip() if found else None


def stated(text: str) -> str:
    """An answer without the sentence around it ("The answer is B" is "B") and without its full stop."""
    found = _SENTENCE.fullmatch(text.strip())
    answer = found.group(1).strip() if found else text.strip()
    return answer[:-1].rstrip() if found and answer.endswith(".") else answer


def bare(question: str) -> str:
    """A question without marks of where its images stand, and without a hint on the form of the answer before it.

    MathV360K puts such a hint before each question (see `mappings`): "Hint: Please answer the question and provide
    the correct option letter …", a line that is MathVista's prompt, not part of the problem.
    """
    text = _MARKER.sub("", question).strip()
    hint = _HINT.match(text)
    return text[hint.end() :] if hint else text


def _last_run(marks: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """The last marks in a row that go A, B, C …."""
    starts = [place for place, mark in enumerate(marks) if mark.group(1) == "A"]
    if not starts:
        return []
    run: list[re.Match[str]] = []
    for mark in marks[starts[-1] :]:
        if mark.group(1) != chr(ord("A") + len(run)):
            break
        run.append(mark)
    return run


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
