"""The wire protocol: messages as frozen values, to bytes and back. Knows neither end."""
