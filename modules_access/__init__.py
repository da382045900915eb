"""Modules: what people buy, subscribe to or are given, how they get in, and why they do not."""
