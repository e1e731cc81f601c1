"""Right answers made of right answers: changes of wording that leave the truth alone.

A head that is fitted on hard wrong answers alone may learn that likeness to the reference is a bad sign, since such
answers are written to be alike. These rows teach that likeness is good. The words they use are English.
"""

import re
from collections.abc import Callable, Sequence
from random import Random

_FRONTS = (
    "The answer is: ", "It is because ", "In short, ", "I would say: ", "Basically, ", "One can say that ",
    "As far as I can see, ", "Well, ", "To put it simply, ", "Answer: ", "In the picture, ",
)  # fmt: skip
_CONTRACTED = {
    "is not": "isn't", "are not": "aren't", "does not": "doesn't", "do not": "don't", "cannot": "can't",
    "it is": "it's", "they are": "they're", "was not": "wasn't", "would not": "wouldn't", "there is": "there's",
    "he is": "he's", "she is": "she's", "did not": "didn't", "will not": "won't",
}  # fmt: skip
_PAIRS = (
    "big=large; begin=start; picture=image; photo=picture; shows=displays; because=since; about=roughly; many=a "
    "lot of; to=in order to; so that=such that; makes=causes; near=close to; also=as well; needs=requires; "
    "need=require; uses=employs; gets=becomes; house=home; stop=cease; helps=assists; whole=entire; "
    "often=frequently; quickly=rapidly; people=persons; turns=changes; next to=beside; each other=one another; "
    "which=that; small=little; keeps=holds; almost=nearly; happens=occurs; happen=occur; buy=purchase; "
    "under=below; over=above; wants=wishes; must=has to; ill=sick; doctor=physician; car=automobile; "
    "bike=bicycle; fridge=refrigerator; plane=aircraft; boat=ship; shop=store; road=street; film=movie; "
    "child=kid; children=kids; woman=lady; get=obtain; gives=provides; give=provide; show=reveal; keep=retain; "
    "allow=permit; allows=permits; lets=allows; help=aid; use=employ; make=produce; made=produced; "
    "build=construct; built=constructed; broken=damaged; quick=fast; hard=difficult; easy=simple; "
    "important=significant; famous=well-known; strange=odd; same=identical; different=distinct; main=chief; "
    "mainly=chiefly; mostly=largely; usually=normally; only=solely; very=extremely; enough=sufficient; "
    "parts=pieces; kind=type; kinds=types; way=manner; place=location; area=region; land=ground; sea=ocean; "
    "forest=woods; stone=rock; money=cash; work=labour; workers=employees; rule=regulation; rules=regulations; "
    "idea=notion; ended=finished; began=started; angry=furious; happy=glad; speak=talk; says=states; look=gaze; "
    "looks=gazes; throws=tosses; jumps=leaps; carry=transport; carries=transports; moves=travels; move=travel; "
    "falls=drops; rises=goes up; rise=go up; increases=grows; decreases=declines; protect=shield; "
    "protects=shields; stays=remains; stay=remain; becomes=turns into; called=named; made of=composed of; "
    "contains=has in it; during=in the course of; after=following; before=prior to; within=inside; through=by way "
    "of; instead of=in place of; because of=due to; despite=in spite of; therefore=for that reason; "
    "however=though; tall=high; wide=broad; thin=slender; bright=shining; loud=noisy; quiet=silent; "
    "clean=spotless; old=aged; new=recent; smart=clever; wealth=riches; war=armed conflict; king=monarch; "
    "road=roadway; street=road; food=nourishment; drink=beverage; animal=creature; animals=creatures; "
    "plants=vegetation; illness=disease; sickness=illness; heat=warmth; cold=chilly; wet=damp; holds=is holding; "
    "stands=is standing; sits=is sitting; wears=has on; man=male person; two=a pair of; twice=two times; "
    "half=fifty percent; more than=over; less than=under; at least=no less than; first=initially; finally=in the "
    "end; lifts=raises; lift=raise; opens=unlocks; closes=shuts; close=shut; breaks=fractures; cuts=slices; "
    "ends=finishes; causes=brings about; cause=bring about; forms=makes up; reach=arrive at; leaves=departs from; "
    "comes from=stems from; get rid of=remove; removes=takes away; remove=take away; find out=learn; grows=gets "
    "bigger; shrinks=gets smaller; absorbs=soaks up; absorb=soak up; releases=lets out; release=let out; "
    "reflects=throws back; reflect=throw back; surrounds=encircles; attracts=draws; attract=draw; warn=alert; "
    "warns=alerts "
)
_ALIKE = [(pair.partition("=")[0].strip(), pair.partition("=")[2].strip()) for pair in _PAIRS.split(";")]
_SAME: dict[str, list[str]] = {}
for _one, _other in _ALIKE:
    _SAME.setdefault(_one, []).append(_other)
    _SAME.setdefault(_other, []).append(_one)
# The longest first, so that `because of` is not read as `because`.
_ANY_ALIKE = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _SAME), key=lambda text: (-len(text), text))) + r")\b")


def reprinted(text: str, random: Random) -> str:
    """Other case, no full stop, other spaces."""
    plain = text.rstrip(".")
    return random.choice((plain.lower(), plain[:1].lower() + plain[1:], text.upper(), f"{plain} .", f" {plain}!"))


def fronted(text: str, random: Random) -> str:
    """With an opening in front."""
    return random.choice(_FRONTS) + text[:1].lower() + text[1:]


def contracted(text: str, random: Random) -> str:
    """Contractions, or their long forms."""
    del random
    changed = text
    for long, short in _CONTRACTED.items():
        changed = re.sub(rf"\b{long}\b", short, changed) if long in changed else re.sub(rf"\b{short}\b", long, changed)
    return changed


def reordered(text: str, random: Random) -> str:
    """Two clauses the other way round, where a semicolon or a list's `and` divides them."""
    del random
    body = text.rstrip(".")
    for sign in ("; ", " and ", ", "):
        parts = body.split(sign)
        if len(parts) == 2 and min(len(part.split()) for part in parts) >= (1 if sign != ", " else 3):
            return f"{parts[1]}{sign}{parts[0].rstrip(',;')}."
    return ""


def synonymous(text: str, random: Random) -> str:
    """Up to four words exchanged for others of the same meaning."""
    places = list(_ANY_ALIKE.finditer(text))
    if not places:
        return ""
    chosen = sorted(random.sample(range(len(places)), min(4, len(places))), reverse=True)
    for number in chosen:
        place = places[number]
        text = text[: place.start()] + random.choice(_SAME[place.group()]) + text[place.end() :]
    return text


_KINDS: tuple[Callable[[str, Random], str], ...] = (reprinted, fronted, contracted, reordered, synonymous)


def rewordings(right: str, others: Sequence[str], random: Random, count: int) -> list[str]:
    """Right answers of a right answer, each different from it.

    Args:
        right: A right answer.
        others: Other right answers to the question, one of which may follow as a detail.
        random: Chooses.
        count: How many at most.
    """
    kinds = list(_KINDS)
    random.shuffle(kinds)
    made = [kind(right, random).strip() for kind in kinds]
    # Two changes at once, the first of words, lie farther from the reference than any one.
    made.insert(
        0, (random.choice((fronted, reordered, contracted))(synonymous(right, random) or right, random)).strip()
    )
    if others:
        stop = "" if right.rstrip()[-1:] in ".!?" else "."
        made.insert(random.randrange(len(made)), f"{right.rstrip()}{stop} {random.choice(others)}")
    return [text for text in dict.fromkeys(made) if text and text != right][:count]
