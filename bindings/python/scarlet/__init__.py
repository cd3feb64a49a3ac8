"""Python side of libscarlet."""
