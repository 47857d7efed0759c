"""What Redshift demands of a password.

https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_CreateNamespace.html
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
"""

import re

_NEEDED = (("upper case letter", r"[A-Z]"), ("lower case letter", r"[a-z]"), ("digit", r"\d"))


def problem_of(password: str) -> str | None:
    """Why it cannot be one; None when it can."""
    if not 8 <= len(password) <= 64:
        return "a password must have 8 to 64 characters"
    for what, pattern in _NEEDED:
        if not re.search(pattern, password):
            return f"a password must have a {what}"
    if re.search(r"[^!-~]|['\"\\/@]", password):
        return "a password must not have a space, a quotation mark, / \\ or @, nor what is not ASCII"
    return None
