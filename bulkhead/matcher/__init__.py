"""An off-chain matcher for signed perpetual orders: a book, its durable store, settlement, HTTP."""
