"""The decoder shapes of the benches; bench/side/shapes.go has the same."""
SHAPES = {
    "A": dict(vocab=512, hidden=128, layers=4, heads=4, kv=2, head=32, ffn=384),
    "B": dict(vocab=4096, hidden=512, layers=8, heads=8, kv=4, head=64, ffn=1408),
}
