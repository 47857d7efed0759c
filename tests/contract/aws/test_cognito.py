"""Cognito user pools: who signs in gets tokens that anybody can check and nobody can make."""

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from joserfc import jwt
from joserfc.jwk import KeySet

from sightline_local.runtime import Runtime

DOCS = "https://docs.aws.amazon.com/cognito"
GUIDE = f"{DOCS}/latest/developerguide"
API = f"{DOCS.replace('/cognito', '/cognito-user-identity-pools')}/latest/APIReference"
pytestmark = pytest.mark.source(f"{GUIDE}/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html")
Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
PASSWORD = "Long-enough-1"


@pytest.fixture(scope="module")
def template() -> str:
    return """
Resources:
  Pool: {Type: AWS::Cognito::UserPool, Properties: {UserPoolName: people}}
  App:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Pool
      ExplicitAuthFlows: [ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
Outputs:
  Pool: {Value: !Ref Pool}
  App: {Value: !Ref App}
"""


@pytest.fixture(scope="module")
def cognito(client: Client) -> Any:
    return client("cognito-idp")


@pytest.fixture(scope="module")
def sign_in(cognito: Any, runtime: Runtime) -> Callable[[str], dict[str, Any]]:
    pool, app = runtime.outputs["Pool"], runtime.outputs["App"]
    cognito.admin_create_user(UserPoolId=pool, Username="anna")
    cognito.admin_set_user_password(UserPoolId=pool, Username="anna", Password=PASSWORD, Permanent=True)

    def sign_in(password: str) -> dict[str, Any]:
        answer: dict[str, Any] = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=app,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "anna", "PASSWORD": password},
        )["AuthenticationResult"]
        return answer

    return sign_in


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def test_an_access_token_names_its_pool_its_client_and_its_user(sign_in: Any, runtime: Runtime) -> None:
    pool = runtime.outputs["Pool"]
    answer = sign_in(PASSWORD)
    claims = claims_of(answer["AccessToken"])
    assert claims["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool}"
    assert (claims["client_id"], claims["token_use"]) == (runtime.outputs["App"], "access")
    assert claims["username"] == "anna"
    assert answer["TokenType"] == "Bearer"
    assert 0 < claims["exp"] - time.time() <= 3600
    assert claims_of(answer["IdToken"])["aud"] == runtime.outputs["App"]


def test_tokens_are_signed_by_a_key_that_the_pool_publishes(sign_in: Any, runtime: Runtime) -> None:
    url = f"{runtime.aws_url}/{runtime.outputs['Pool']}/.well-known/jwks.json"
    with urllib.request.urlopen(url, timeout=20) as answer:
        keys = json.load(answer)
    assert all("d" not in key for key in keys["keys"])
    token = jwt.decode(sign_in(PASSWORD)["AccessToken"], KeySet.import_key_set(keys))
    assert token.header["alg"] == "RS256"
    assert token.header["kid"] in {key["kid"] for key in keys["keys"]}


@pytest.mark.source(f"{API}/API_AdminInitiateAuth.html")
def test_a_wrong_password_is_not_authorized(sign_in: Any, refusal: Refusal) -> None:
    error = refusal(sign_in, password="Wrong-enough-1")
    assert error.response["Error"]["Code"] == "NotAuthorizedException"


@pytest.mark.source(f"{API}/API_AdminCreateUser.html")
def test_a_user_is_made_once(cognito: Any, sign_in: Any, runtime: Runtime, refusal: Refusal) -> None:
    error = refusal(cognito.admin_create_user, UserPoolId=runtime.outputs["Pool"], Username="anna")
    assert error.response["Error"]["Code"] == "UsernameExistsException"


@pytest.mark.source(f"{API}/API_AdminInitiateAuth.html")
def test_a_role_needs_the_permission_to_sign_somebody_in(
    runtime: Runtime, client_with: Callable[..., Client], refusal: Refusal
) -> None:
    nobody = client_with({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"})("cognito-idp")
    error = refusal(nobody.admin_get_user, UserPoolId=runtime.outputs["Pool"], Username="anna")
    assert error.response["Error"]["Code"] == "AccessDeniedException"
