"""What CPython programs do: dictionaries, strings, lists, JSON, sorting, classes. With PYTHONMALLOC=malloc every object
is a malloc. objects.py ROUNDS"""
import json
import re
import sys


class Record:
    def __init__(self, number):
        self.name = "record %d" % number
        self.tags = ["t%d" % (number % k) for k in (3, 5, 7)]
        self.values = {"x": number * 1.5, "y": (number, str(number))}

    def as_dict(self):
        return {"name": self.name, "tags": self.tags, "values": self.values}


def one_round(number):
    records = [Record(number * 1000 + i) for i in range(1000)]
    text = json.dumps([r.as_dict() for r in records], indent=1)
    again = json.loads(text)
    words = {}
    for word in re.findall(r"\w+", text):
        words[word] = words.get(word, 0) + 1
    ranking = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    return len(again), len(ranking), sum(float(i) for i in range(5000))


kept = [one_round(number) for number in range(int(sys.argv[1]))]
