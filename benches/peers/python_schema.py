"""The peers: Python's jsonschema-rs (Rust's jsonschema underneath) and jsonschema, each with Python's json.

python_schema.py rs|python SCHEMA EVENTS LINES     prints {"valid": N, "invalid": N} of the first LINES events
"""

import itertools
import json
import sys

which, schema, events, lines = sys.argv[1:]
with open(schema, encoding="utf-8") as file:
    schema = json.load(file)
if which == "rs":
    import jsonschema_rs

    is_valid = jsonschema_rs.validator_for(schema, validate_formats=True).is_valid
else:
    import jsonschema

    is_valid = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).is_valid
valid = invalid = 0
with open(events, "rb") as file:
    for line in itertools.islice(file, int(lines)):
        if is_valid(json.loads(line)):
            valid += 1
        else:
            invalid += 1
print(json.dumps({"valid": valid, "invalid": invalid}))
