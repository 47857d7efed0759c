"""What AWS says about HTTP APIs of API Gateway, and what the runtime does."""

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from sightline_local.runtime import Runtime

GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
CORS = pytest.mark.source(GUIDE + "http-api-cors.html")
PAYLOAD = pytest.mark.source(GUIDE + "http-api-develop-integrations-lambda.html")
ROUTES = pytest.mark.source(GUIDE + "http-api-develop-routes.html")
JWT = pytest.mark.source(GUIDE + "http-api-jwt-authorizer.html")
TROUBLE = pytest.mark.source(GUIDE + "http-api-troubleshooting-jwt.html")

PAGE = "https://console.example.com"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Users:
    Type: AWS::Cognito::UserPool
  App:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Users
      ExplicitAuthFlows: [ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
  Web:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: ["https://console.example.com", "http://*"]
        AllowMethods: [GET, POST]
        AllowHeaders: [authorization, content-type]
        ExposeHeaders: [x-total]
        AllowCredentials: true
        MaxAge: 300
      Auth:
        Authorizers:
          Tokens:
            IdentitySource: $request.header.Authorization
            JwtConfiguration:
              issuer: !Sub https://cognito-idp.${AWS::Region}.amazonaws.com/${Users}
              audience: [!Ref App]
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: echo.handle
      CodeUri: code
      Events:
        Public: {Type: HttpApi, Properties: {ApiId: !Ref Web, Method: ANY, Path: /public}}
        Named: {Type: HttpApi, Properties: {ApiId: !Ref Web, Method: GET, Path: "/things/{thing}"}}
        Fixed: {Type: HttpApi, Properties: {ApiId: !Ref Web, Method: GET, Path: /things/fixed}}
        Greedy: {Type: HttpApi, Properties: {ApiId: !Ref Web, Method: GET, Path: "/files/{name+}"}}
        Closed:
          Type: HttpApi
          Properties: {ApiId: !Ref Web, Method: GET, Path: /closed, Auth: {Authorizer: Tokens}}
Outputs:
  Pool: {Value: !Ref Users}
  Client: {Value: !Ref App}
"""
ECHO = """
import json
def handle(event, context):
    if event["rawPath"] == "/public" and event.get("body") == "fail":
        raise ValueError("no")
    if event["rawPath"] == "/public" and event.get("body") == "bare":
        return {"plain": True}
    headers = {"content-type": "application/json", "Access-Control-Allow-Origin": "https://evil.example.com",
               "x-total": "7"}
    return {"statusCode": 201, "headers": headers, "body": json.dumps(event), "cookies": ["a=1", "b=2"]}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {"code/echo.py": ECHO}


@pytest.fixture(scope="module")
def ask(runtime: Runtime) -> Iterator[Ask]:
    connection = http.client.HTTPConnection(urlsplit(runtime.api_url).netloc, timeout=10)

    def send(method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        connection.request(method, path, body, {name.replace("_", "-"): v for name, v in headers.items()})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    yield send
    connection.close()


@pytest.fixture(scope="module")
def token(runtime: Runtime, client: Callable[[str], Any]) -> str:
    cognito, pool = client("cognito-idp"), runtime.outputs["Pool"]
    login = {"USERNAME": "kim", "PASSWORD": "Secret-123"}
    cognito.admin_create_user(UserPoolId=pool, Username="kim")
    cognito.admin_set_user_password(UserPoolId=pool, Username="kim", Password="Secret-123", Permanent=True)
    begun = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=runtime.outputs["Client"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters=login,
    )
    access: str = begun["AuthenticationResult"]["AccessToken"]
    return access


# ------------------------------------------------------------------------------------------------ CORS


@CORS
def test_a_preflight_request_is_answered_without_a_route(ask: Ask) -> None:
    answer = ask("OPTIONS", "/no/such/route", Origin=PAGE, Access_Control_Request_Method="GET")

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == "GET,POST"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert answer.headers["access-control-max-age"] == "300"
    assert answer.headers["access-control-allow-credentials"] == "true"


@CORS
def test_a_preflight_request_needs_no_token(ask: Ask) -> None:
    assert ask("OPTIONS", "/closed", Origin=PAGE, Access_Control_Request_Method="GET").status == 204


@CORS
def test_an_origin_that_is_not_allowed_gets_no_cors_headers(ask: Ask) -> None:
    asked = {"Origin": "https://evil.example.com", "Access_Control_Request_Method": "GET"}

    preflight, real = ask("OPTIONS", "/public", **asked), ask("GET", "/public", Origin=asked["Origin"])

    assert not [name for name in preflight.headers if name.startswith("access-control-")]
    assert not [name for name in real.headers if name.startswith("access-control-")]


@CORS
def test_any_origin_of_a_scheme_can_be_allowed(ask: Ask) -> None:
    answer = ask("GET", "/public", Origin="http://localhost:5173")

    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"


@CORS
def test_cors_headers_of_the_function_are_ignored(ask: Ask) -> None:
    answer = ask("GET", "/public", Origin=PAGE)

    assert answer.headers.get_all("access-control-allow-origin") == [PAGE]
    assert answer.headers["access-control-expose-headers"] == "x-total"
    assert answer.headers["x-total"] == "7"


@CORS
def test_a_request_without_an_origin_gets_no_cors_headers(ask: Ask) -> None:
    answer = ask("GET", "/public")

    assert not [name for name in answer.headers if name.startswith("access-control-")]


# --------------------------------------------------------------------------------------------- payload 2.0


@PAYLOAD
def test_the_event_is_payload_version_2(ask: Ask) -> None:
    event = ask(
        "POST", "/public?a=1&a=2&b=3", "text", Cookie="c=1; d=2", X_Own="yes", Content_Type="text/plain"
    ).json()

    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /public"
    assert (event["rawPath"], event["rawQueryString"]) == ("/public", "a=1&a=2&b=3")
    assert event["queryStringParameters"] == {"a": "1,2", "b": "3"}
    assert event["cookies"] == ["c=1", "d=2"]
    assert event["headers"]["x-own"] == "yes"
    assert (event["body"], event["isBase64Encoded"]) == ("text", False)
    context = event["requestContext"]
    assert context["http"].keys() == {"method", "path", "protocol", "sourceIp", "userAgent"}
    assert (context["http"]["method"], context["stage"]) == ("POST", "$default")
    assert context["accountId"] == "123456789012"
    assert "authorizer" not in context


@PAYLOAD
def test_a_binary_body_is_base64(ask: Ask) -> None:
    event = ask("POST", "/public", b"\x00\xff", Content_Type="image/jpeg").json()

    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


@PAYLOAD
def test_cookies_of_the_function_are_headers_of_their_own(ask: Ask) -> None:
    assert ask("GET", "/public").headers.get_all("set-cookie") == ["a=1", "b=2"]


@PAYLOAD
def test_an_answer_without_a_status_code_is_the_body_of_a_200(ask: Ask) -> None:
    answer = ask("POST", "/public", "bare", Content_Type="text/plain")

    assert (answer.status, answer.json()) == (200, {"plain": True})
    assert answer.headers["content-type"] == "application/json"


@PAYLOAD
def test_a_function_that_fails_is_an_internal_server_error(ask: Ask) -> None:
    answer = ask("POST", "/public", "fail", Content_Type="text/plain")

    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})


# --------------------------------------------------------------------------------------------------- routes


@ROUTES
def test_the_most_specific_route_wins(ask: Ask) -> None:
    assert ask("GET", "/things/fixed").json()["routeKey"] == "GET /things/fixed"
    named = ask("GET", "/things/red%20box").json()
    assert (named["routeKey"], named["pathParameters"]) == ("GET /things/{thing}", {"thing": "red box"})


@ROUTES
def test_a_greedy_parameter_takes_the_rest_of_the_path(ask: Ask) -> None:
    assert ask("GET", "/files/a/b/c").json()["pathParameters"] == {"name": "a/b/c"}


@ROUTES
def test_a_path_without_a_route_is_not_found(ask: Ask) -> None:
    answer = ask("GET", "/nowhere")

    assert (answer.status, answer.json()) == (404, {"message": "Not Found"})


# ------------------------------------------------------------------------------------------ JWT authorizer


@JWT
def test_a_route_with_an_authorizer_needs_a_token(ask: Ask) -> None:
    answer = ask("GET", "/closed")

    assert (answer.status, answer.json()) == (401, {"message": "Unauthorized"})


@JWT
def test_the_claims_of_the_token_are_in_the_event(ask: Ask, token: str) -> None:
    event = ask("GET", "/closed", Authorization=f"Bearer {token}").json()

    jwt = event["requestContext"]["authorizer"]["jwt"]
    assert jwt["claims"]["username"] == "kim"
    assert all(isinstance(claim, str) for claim in jwt["claims"].values())


@TROUBLE
def test_what_is_wrong_with_a_token_is_in_www_authenticate(ask: Ask, token: str) -> None:
    answer = ask("GET", "/closed", Authorization=f"Bearer {token[:-4]}AAAA")

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Bearer scope="" error="invalid_token"')
