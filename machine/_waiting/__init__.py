"""Waiting: handles, contexts and deadlines, and the index behind them."""
