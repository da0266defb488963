#!/usr/bin/env python3
"""Metadata of tokens as marketplaces serve it, made up: for measurements that need many small JSON
documents which resemble each other as those of real collections do.

Each collection has its own names, words, traits, layout and style of JSON; what several have in
common are the customary keys, trait names and turns of phrase of the trade. Half of them give
each token an image address of its own, which nothing can compress. Everything follows from the
numbers of collection and token, so that all measurements see the same.

usage: corpus.py FOLDER    writes FOLDER/learn and FOLDER/unseen, of different collections: a file
per size and collection whose documents are lines, line breaks within them as spaces
"""

import itertools
import json
import random
import re
import string
import sys
from pathlib import Path

SIZES = (512, 1024, 4096, 16384)
# Collections that a dictionary may learn from, and those it is judged by.
LEARN, UNSEEN = range(0, 12), range(100, 116)
TOKENS = 40         # documents per collection and size

TRAITS = ("Background", "Body", "Eyes", "Mouth", "Headwear", "Clothing", "Accessory", "Skin",
          "Weapon", "Element", "Rarity", "Generation", "Rank", "Aura", "Companion", "Origin",
          "Material", "Pattern", "Frame", "Season", "Level", "Power", "Speed", "Wisdom", "House")
# What descriptions of the trade say, in their turns of phrase; the gaps are the collection's words.
PHRASES = (
    "a collection of 10,000 unique {}", "living on the Ethereum blockchain", "each {} was drawn by",
    "holders of a {} may enter the {}", "generated from over 200 traits", "stored on IPFS for ever",
    "no two {} are alike", "the {} of the old world", "who came out of the {} one night",
    "your {} grants access to members-only events", "with a rare {}", "found only once",
    "commercial rights belong to the owner", "the story begins where {} ended",
    "and was never seen again", "before the great {} fell", "it remembers every {} it has met",
    "a homage to early {} culture", "curated by the artists of {}", "minted on the first day of {}",
    "part of the second season", "feared by {} and loved by {}", "its power grows with every {}",
    "when the moon stands over {}", "under the protection of the {} guild",
    "can be merged with another {}", "unlocks the next chapter", "hand-painted and then animated",
    "for more see the site of {}", "this token is its certificate of authenticity",
    "the {} council has spoken", "between {} and {} lies the path", "only the worthy may hold it",
    "it was forged in {}", "a gift for the earliest supporters", "royalties go to the {} fund")
SYLLABLES = ("ka lo mi ra ten vor zha qui bel dro fen gal hur ish jor kel lun mor nax oph pyr "
             "sol tur ulm ves wyn xan yel zor ari bri cal del eth").split()
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Collection:
    """All that the tokens of one collection share."""

    def __init__(self, number):
        self.number = number
        dice = self.dice = random.Random(f"collection {number}")
        self.lexicon = [self._word() for _ in range(240)]
        self.name = " ".join(self._word().capitalize() for _ in range(dice.choice((1, 2, 2, 3))))
        self.slug = self.name.lower().replace(" ", "-")
        self.traits = {trait: [" ".join(dice.choice(self.lexicon).capitalize()
                                        for _ in range(dice.choice((1, 1, 2))))
                               for _ in range(dice.randrange(4, 24))]
                       for trait in dice.sample(TRAITS, dice.randrange(6, 13))}
        self.indent = dice.choice((None, None, None, 1))
        self.separators = dice.choice(((",", ":"), (", ", ": ")))
        self.lore = [self._sentence(dice) for _ in range(12)]
        self.own_images = dice.random() < 0.5
        self.folder = content_address(dice)
        self.suffix = dice.choice((".png", ".webp", ".svg", ".gif", ""))
        self.site = f"https://{self.slug}.{dice.choice(('example', 'art.example', 'io.example'))}"
        self.creators = [account(dice) for _ in range(dice.choice((1, 1, 2, 3)))]
        self.layout = dice.sample(("external_url", "animation_url", "background_color", "edition",
                                   "date", "dna", "compiler", "collection", "properties",
                                   "seller_fee_basis_points", "symbol", "license"),
                                  dice.randrange(3, 8))

    def _word(self):
        return "".join(self.dice.choice(SYLLABLES) for _ in range(self.dice.choice((1, 2, 2, 3))))

    def token(self, number, size):
        """The document of a token, about `size` bytes."""
        dice = random.Random(f"token {self.number} {number} {size}")
        document = self._short(dice, number)
        more = self._more(dice, number)
        length = len(self._text(document))
        while length < size * 0.94:
            key, value = next(more)
            length += len(self._text(value)) + (0 if key in document else len(key) + 5)
            if isinstance(document.get(key), list):
                document[key].append(value)
            else:
                document[key] = document[key] + value if key in document else value
        return self._text(document)

    def _text(self, value):
        return json.dumps(value, indent=self.indent,
                          separators=None if self.indent else self.separators)

    def _short(self, dice, number):
        image = content_address(dice) if self.own_images else f"{self.folder}/{number}"
        count = dice.randrange(2, 5)
        document = {
            "name": f"{self.name} #{number}",
            "description": dice.choice(self.lore),
            "image": f"ipfs://{image}{self.suffix}",
            "attributes": [{"trait_type": trait, "value": dice.choice(values)}
                           for trait, values in itertools.islice(self.traits.items(), count)],
        }
        known = {"external_url": f"{self.site}/token/{number}", "edition": number,
                 "background_color": f"{dice.randrange(1 << 24):06x}",
                 "date": 1_640_000_000_000 + dice.randrange(10 ** 11),
                 "symbol": self.slug[:4].upper(), "seller_fee_basis_points": 500}
        for key in self.layout[:2]:
            if key in known:
                document[key] = known[key]
        return document

    def _more(self, dice, number):
        """(key, value) to go on with, for ever: the rest of the layout, more traits, then texts,
        files and the history of its sales in turn."""
        rest = {"animation_url": f"{self.site}/live/{number}.mp4", "compiler": "layer engine 2",
                "dna": f"{dice.getrandbits(160):040x}", "license": f"{self.site}/license",
                "collection": {"name": self.name, "family": self.slug},
                "properties": {"category": "image", "creators": [
                    {"address": who, "share": 100 // len(self.creators)}
                    for who in self.creators]}}
        yield from ((key, rest[key]) for key in self.layout if key in rest)
        for trait, values in list(self.traits.items())[4:]:
            kind = {"display_type": "number"} if dice.random() < 0.2 else {}
            value = dice.randrange(100) if kind else dice.choice(values)
            yield "attributes", {"trait_type": trait, "value": value, **kind}
        for at in itertools.count():
            if at < 8 or at % 4 == 0:
                yield "description", " " + (dice.choice(self.lore) if at % 2 else
                                            self._sentence(dice))
            if at % 3 == 1:
                yield "history", [] if at == 1 else self._sale(dice)
            if at % 5 == 2:
                yield "files", [] if at == 2 else {
                    "uri": f"ipfs://{self.folder}/{number}/{at}{self.suffix}",
                    "type": "image/png", "width": 2048, "height": 2048}

    def _sale(self, dice):
        return {"event": dice.choice(("sale", "transfer", "list", "bid")),
                "from": account(dice), "to": dice.choice(self.creators),
                "price": f"{dice.randrange(1, 9000) / 1000:.3f}", "currency": "ETH",
                "at": f"202{dice.randrange(1, 6)}-{dice.randrange(1, 13):02}-"
                      f"{dice.randrange(1, 29):02}T{dice.randrange(24):02}:"
                      f"{dice.randrange(60):02}:{dice.randrange(60):02}Z"}

    def _sentence(self, dice):
        phrases = [re.sub("{}", lambda _gap: dice.choice(self.lexicon).capitalize(), phrase)
                   for phrase in dice.sample(PHRASES, dice.randrange(1, 4))]
        return ", ".join(phrases).capitalize() + "."


def content_address(dice):
    """An address by content, as random as a hash."""
    return "Qm" + "".join(dice.choices(BASE58, k=44))


def account(dice):
    return "0x" + "".join(dice.choices(string.hexdigits[:16], k=40))


def write(folder):
    for name, numbers in (("learn", LEARN), ("unseen", UNSEEN)):
        target = Path(folder) / name
        target.mkdir(parents=True, exist_ok=True)
        for number, size in itertools.product(numbers, SIZES):
            collection = Collection(number)
            (target / f"{size}-{number}").write_text("".join(
                collection.token(token, size).replace("\n", " ") + "\n"
                for token in range(TOKENS)))


if __name__ == "__main__":
    write(sys.argv[1])
