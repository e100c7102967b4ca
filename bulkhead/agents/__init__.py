"""Market participants: each looks at a view of the chain and says what it would send."""
