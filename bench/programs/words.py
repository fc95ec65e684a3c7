"""Pure Python at work: a random text is counted, indexed, sorted, put into JSON and read back."""

import collections
import json
import random

WORDS, VOCABULARY = 240000, 20000


class Posting:
    def __init__(self, word):
        self.word = word
        self.places = []


def vocabulary(rng):
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(rng.choices(letters, k=rng.randrange(2, 14))) for _ in range(VOCABULARY)]


def main():
    rng = random.Random(2)
    words = rng.choices(vocabulary(rng), k=WORDS)
    text = " ".join(words)
    counts = collections.Counter(text.split())
    index = {}
    for place, word in enumerate(text.split()):
        index.setdefault(word, Posting(word)).places.append(place)
    lines = [{"word": word, "places": posting.places} for word, posting in sorted(index.items())]
    again = json.loads(json.dumps(lines))
    pairs = collections.Counter(zip(words, words[1:]))
    print(len(counts), len(again), sum(len(line["places"]) for line in again), len(pairs))


if __name__ == "__main__":
    main()
