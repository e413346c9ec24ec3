"""Prints pairs of texts with what rouge-score 0.1.2 and sacrebleu 2.6.0 say of them. Python 3.11."""
import json, random, sys
import sacrebleu
from rouge_score import rouge_scorer
random.seed(3)
scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
vocabulary = ["the", "The", "cat", "sat,", "on", "mat.", "3.5", "1,000", "a-b", "20-", "don't", "(yes)", "&amp;lt;", "&quot;q&quot;", "\n", "-\n", "x\u00a0y", "é", "été!",
              "水が", "\U0001f600", "$5", "e.g.", "...", "<skipped>", "İ", "\x1c", "_", "end"]
def text(n): return " ".join(random.choice(vocabulary) for _ in range(n))
out = []
for i in range(int(sys.argv[1])):
    gold = text(random.choice([1, 2, 4, 12, 30]))
    words = gold.split(" ")
    for _ in range(random.randrange(8)):
        words.insert(random.randrange(len(words) + 1), random.choice(vocabulary))
        if random.random() < .6: del words[random.randrange(len(words))]
    response = [" ".join(words), text(random.randrange(10)), "", gold][i % 4 if i % 8 else 0]
    r = scorer.score(gold, response)
    out.append({"gold": gold, "response": response, "rouge1": r["rouge1"].fmeasure, "rouge2": r["rouge2"].fmeasure, "rougeL": r["rougeL"].fmeasure,
                "bleu": sacrebleu.sentence_bleu(response, [gold]).score, "chrf": sacrebleu.sentence_chrf(response, [gold]).score,
                "chrfpp": sacrebleu.sentence_chrf(response, [gold], word_order=2).score})
json.dump(out, sys.stdout, indent=0)
