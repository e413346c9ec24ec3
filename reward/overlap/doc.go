// Package overlap measures how much of one text is in another: the similarity of Python's difflib, ROUGE, BLEU and chrF. The measures equal those of
// the programs that papers use: difflib, rouge-score, sacrebleu. It imports the standard library only.
package overlap
