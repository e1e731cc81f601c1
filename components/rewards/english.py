"""English words that the surrogate's features count: they carry no topic.

Lists of our own making. On other languages they find nothing.
"""

import re

FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "it's",
        "he",
        "she",
        "they",
        "them",
        "his",
        "her",
        "hers",
        "their",
        "theirs",
        "him",
        "we",
        "us",
        "our",
        "you",
        "your",
        "i",
        "me",
        "my",
        "and",
        "or",
        "but",
        "nor",
        "so",
        "yet",
        "if",
        "then",
        "than",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "into",
        "of",
        "off",
        "on",
        "onto",
        "out",
        "over",
        "per",
        "to",
        "toward",
        "towards",
        "up",
        "upon",
        "via",
        "with",
        "within",
        "about",
        "above",
        "after",
        "against",
        "along",
        "among",
        "around",
        "before",
        "behind",
        "below",
        "beneath",
        "beside",
        "besides",
        "between",
        "beyond",
        "during",
        "near",
        "past",
        "since",
        "through",
        "throughout",
        "under",
        "until",
        "while",
        "because",
        "whereas",
        "although",
        "though",
        "once",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "what",
        "why",
        "how",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "am",
        "do",
        "does",
        "did",
        "doing",
        "done",
        "has",
        "have",
        "had",
        "having",
        "can",
        "could",
        "may",
        "might",
        "must",
        "shall",
        "should",
        "will",
        "would",
        "there",
        "here",
        "also",
        "too",
        "very",
        "just",
        "only",
        "even",
        "still",
        "again",
        "each",
        "every",
        "both",
        "either",
        "some",
        "any",
        "such",
        "other",
        "others",
        "another",
        "own",
        "same",
        "all",
        "most",
        "more",
        "much",
        "many",
        "few",
        "less",
        "lot",
        "one's",
        "one",
        "itself",
        "himself",
        "herself",
        "themselves",
        "not",
        "no",
        "never",
        "without",
        "neither",
        "s",
        "t",
    ]
)

NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "none",
        "nothing",
        "nobody",
        "nowhere",
        "neither",
        "nor",
        "cannot",
        "without",
        "hardly",
        "scarcely",
        "barely",
        "lacks",
        "lack",
        "lacking",
        "fails",
        "fail",
        "failed",
        "untrue",
        "false",
        "wrong",
        "incorrect",
        "unlike",
        "isn't",
        "aren't",
        "wasn't",
        "weren't",
        "don't",
        "doesn't",
        "didn't",
        "can't",
        "couldn't",
        "won't",
        "wouldn't",
        "hasn't",
        "haven't",
        "hadn't",
        "shouldn't",
    ]
)

DENIALS = (
    "not true", "is false", "is wrong", "is incorrect", "is untrue", "not correct", "not the case", "not right",
    "actually no", "no actually", "on the contrary", "the opposite", "the reverse", "contrary to", "rather than",
    "instead of", "nothing to do with", "far from", "in fact not", "but no", "scratch that", "i take that back",
    "the other way round", "the other way around", "no longer", "it would be wrong", "mistake", "nobody", "a myth",
    "denies", "deny", "denied", "unlikely", "impossible", "anything but", "by no means", "does not hold", "doubtful",
)  # fmt: skip

TURNS = (
    "actually",
    "in truth",
    "in reality",
    "in fact",
    "on second thought",
    "or rather",
    "wait",
    "correction",
    "i mean",
    "scratch that",
    "that is wrong",
    "that's wrong",
    "no it",
    "sorry",
    "hold on",
    "in contrast",
    "however",
    "truth is",
    "not so",
    "my mistake",
    "let me correct",
    "better said",
    "no wait",
    "should be",
    "after all",
    "yet",
)
"""Words that take back what was said before."""

HEDGES = (
    "maybe", "perhaps", "possibly", "probably", "might", "could be", "may be", "depends", "it depends", "hard to say",
    "not sure", "i think", "i believe", "i guess", "some kind", "some sort", "something", "somehow", "someone",
    "various", "certain", "in some way", "many factors", "several factors", "many things", "difficult to say",
    "cannot be said", "can't say", "unclear", "unknown", "don't know", "do not know", "no idea", "either",
    "many ways", "different ways", "many reasons", "several reasons", "in general", "as everyone knows",
)  # fmt: skip

CLAIMS = (
    "correct answer", "the right answer", "correct and complete", "complete answer", "is correct", "full marks",
    "full score", "high score", "highest score", "trust me", "this is right", "100", "reward", "grader", "the rubric",
    "as requested", "accurate", "perfect", "well reasoned", "expert", "experts agree", "all references",
    "the reference", "verified", "certainly", "absolutely", "definitely", "undoubtedly", "without any doubt",
    "thank you", "great question", "thought process",
    "step by step", "let's", "the answer", "my answer", "this answer", "answer",
)  # fmt: skip

_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
# One is left out: it mostly stands for a noun.
NUMBER_WORDS = {word: str(value) for value, word in enumerate(_TO_TWENTY.split()) if word != "one"
} | {
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "hundred": "100", "thousand": "1000", "million": "1000000", "billion": "1000000000", "dozen": "12",
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "half": "1/2", "twice": "2", "double": "2", "doubled": "2", "doubles": "2", "thrice": "3", "triple": "3",
    "tripled": "3", "single": "1", "quarter": "1/4",
}  # fmt: skip

_OPPOSITES = """
left leftmost leftwards / right rightmost rightwards
up upward upwards upper rise rises rising rose risen raise raises raising raised climb climbs
  climbing climbed
  / down downward downwards lower fall falls falling fell fallen lower lowers lowering lowered descend
  descends descending sink sinks sinking sank
above over overhead on top / below under underneath beneath bottom
in inside inner inward inwards indoors internal interior
  / out outside outer outward outwards outdoors external exterior
before earlier early previously precede precedes preceded / after later late afterwards follow follows followed
first beginning begin begins began start starts started starting opening
  / last final end ends ended ending finish finishes finished closing
more most greater greatest higher highest larger largest bigger biggest increase increases increased
  increasing grow grows grew growing growth gain gains gained expand expands expanded expanding
  expansion surplus above exceed exceeds
  / less least fewer fewest lower lowest smaller smallest decrease decreases decreased decreasing shrink
  shrinks shrank shrinking decline declines declined declining reduce reduces reduced reducing
  reduction loss lose loses lost drop drops dropped contract contracts contracted contraction deficit
  below
large big great huge tall high vast giant enormous / small little tiny low short minute
long longer longest / short shorter shortest brief
fast faster fastest quick quickly quicker rapid rapidly swift speed speeds speeding accelerate
  accelerates
  / slow slower slowest slowly slows slowing gradually decelerate decelerates
hot hotter hottest warm warmer warmest heat heats heated heating
  / cold colder coldest cool cooler coolest cools cooled cooling chill
light lighter bright brighter white day daylight / dark darker dim dimmer black night
strong stronger strongest strength strengthen strengthens powerful / weak weaker weakest weakness weaken weakens
heavy heavier heaviest / light lighter lightest
open opens opened opening / close closes closed closing shut shuts
on / off
full fuller filled / empty emptier emptied
wet wetter moist humid damp / dry drier dries dried
old older oldest ancient / new newer newest young younger youngest modern recent
near nearer nearest close closer closest nearby / far farther farthest further distant away
thick thicker dense denser / thin thinner sparse
hard harder hardest solid rigid / soft softer softest liquid flexible
rough rougher / smooth smoother
rich richer wealthy / poor poorer
cheap cheaper / expensive dearer costly
good better best positive beneficial benefit benefits / bad worse worst negative harmful harm harms
true right correct / false wrong incorrect
same equal alike identical similar / different unequal unlike opposite
always constant constantly / never seldom rarely
all every everyone everything everybody both / none nobody nothing neither
many numerous / few
with / without
win wins won victory winner / lose loses lost defeat loser
buy buys bought import imports / sell sells sold export exports
give gives gave given send sends sent emit emits emitted release releases released
  / take takes took taken receive receives received absorb absorbs absorbed
push pushes pushed pushing repel repels / pull pulls pulled pulling attract attracts attract
arrive arrives arrived enter enters entered come comes came
  / leave leaves left depart departs departed exit exits go goes went
attack attacks attacked offensive / defend defends defended defensive
allow allows allowed permit permits permitted legal accept accepts accepted enable enables
  / forbid forbids forbidden prohibit prohibits prevent prevents prevented illegal ban bans banned
  reject rejects rejected block blocks blocked
help helps helped support supports supported / hinder hinders oppose opposes opposed
create creates created build builds built make makes made construct
  / destroy destroys destroyed demolish break breaks broke
live lives living alive birth born / die dies died dead death
male man men boy boys father king husband son / female woman women girl girls mother queen wife daughter
north northern / south southern
east eastern / west western
front forward forwards ahead / back backward backwards behind rear
horizontal horizontally flat / vertical vertically upright steep
acid acidic / base basic alkaline alkali
solid freezing freeze freezes frozen / liquid gas melting melt melts melted boil boils
evaporate evaporates evaporation vapour vaporise / condense condenses condensation
oxidation oxidised / reduction reduced
positive positively plus / negative negatively minus
attract / repel
maximum maximal max most / minimum minimal min least
major majority / minor minority
public / private
natural naturally / artificial artificially synthetic man-made
active actively / passive passively
simple simpler easy easier easily / complex complicated difficult harder hard
present appear appears appeared visible / absent disappear disappears disappeared invisible hidden
add adds added addition plus / subtract subtracts remove removes removed subtraction minus
multiply multiplies multiplied / divide divides divided
cause causes caused / effect result results
import / export
supply / demand
stable steady / unstable unsteady
safe safely safety / dangerous danger
clean cleaner / dirty polluted
young / old
sweet / sour bitter salty
loud louder noisy / quiet quieter silent
sunny / rainy cloudy
happy happily joy / sad sadly unhappy sorrow
friend friends friendly / enemy enemies hostile
peace / war
rural country village / urban city town
parent parents / child children
teacher / student pupil
predator / prey
summer / winter
spring / autumn
sunrise dawn morning / sunset dusk evening
vein veins / artery arteries
inhale inhales / exhale exhales
expand / contract
asleep sleep sleeping sleeps / awake wake waking
sit sits sitting seated / stand stands standing
walk walks walking / run runs running
whole entire entirely / part partly
direct directly / indirect indirectly
vowel vowels / consonant consonants
noun / verb
singular / plural
comedy comic / tragedy tragic
fiction / non-fiction fact
renewable / non-renewable fossil
"""


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in re.sub(r"\n\s+", " ", _OPPOSITES.strip()).splitlines():
        one, other = (set(side.split()) for side in line.split(" / "))
        for here, there in ((one, other), (other, one)):
            for word in here:
                found.setdefault(word, set()).update(there)
    return {word: frozenset(words - {word}) for word, words in found.items()}


OPPOSITES = _opposites()
"""Words that contradict a word; the relation is symmetric."""
