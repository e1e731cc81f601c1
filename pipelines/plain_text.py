"""Text that others wrote, as a terminal may show it."""

import re

from rich.text import Text

# A completion or a question is hostile text: nothing in it may steer the terminal.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def plain_text(content: str) -> Text:
    """Text without markup, whose control characters are shown as escapes."""
    return Text(_CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", content))
