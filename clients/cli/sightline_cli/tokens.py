"""An access token of the stack's own user pool, for the user `sightline-cli`."""

import secrets
import string
from typing import Any

from botocore.exceptions import ClientError

from sightline_cli.api import ApiClient
from sightline_cli.errors import CliError
from sightline_cli.stack import Stack

USER = "sightline-cli"
ATTEMPTS = 4


def new_password() -> str:
    """Make a random password of every kind of character, for one use; nobody ever stores it."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#%+-_")
    return "".join(secrets.choice(kind) for kind in kinds * 8)


def api_of(stack: Stack) -> ApiClient:
    """Give the client of the stack's API, with tokens of its own."""
    return ApiClient(stack.output("ApiUrl"), lambda: new_token(stack))


def new_token(stack: Stack) -> str:
    """Sign in with a password set for this one time, and give the access token."""
    pool = _Pool(stack)
    try:
        pool.ensure_user()
        for _ in range(ATTEMPTS - 1):
            # Another `sightline token` may set its own password between our two calls.
            if token := pool.sign_in_unless_overtaken():
                return token
        return pool.sign_in()
    except ClientError as error:
        line = f"the user pool gives no token: {error.response['Error'].get('Message')}"
        raise CliError(line) from error


class _Pool:
    def __init__(self, stack: Stack) -> None:
        self._cognito: Any = stack.client("cognito-idp")
        self._pool, self._client = stack.output("UserPoolId"), stack.output("UserPoolClientId")

    def ensure_user(self) -> None:
        try:
            self._cognito.admin_create_user(UserPoolId=self._pool, Username=USER, MessageAction="SUPPRESS")
        except ClientError as error:
            if error.response["Error"]["Code"] != "UsernameExistsException":
                raise

    def sign_in_unless_overtaken(self) -> str | None:
        try:
            return self.sign_in()
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotAuthorizedException":
                raise
            return None

    def sign_in(self) -> str:
        password = new_password()
        self._cognito.admin_set_user_password(
            UserPoolId=self._pool, Username=USER, Password=password, Permanent=True
        )
        answer = self._cognito.admin_initiate_auth(
            UserPoolId=self._pool,
            ClientId=self._client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": USER, "PASSWORD": password},
        )
        return str(answer["AuthenticationResult"]["AccessToken"])
