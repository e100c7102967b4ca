"""Operations, the executor that plays them on a chain, and the comparison with the model."""
