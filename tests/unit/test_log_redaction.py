"""What looks like a secret is not shown, and what does not is."""

import pytest

from components.rollout.log_redaction import resembles_secret, without_secrets


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASSWORD",
        "dbPassword",
        "PGPASSWORD",
        "MYSQL_ROOT_PASSWORD",
        "REDIS_PASS",
        "DB_PWD",
        "PASSPHRASE",
        "spring.datasource.password",
        "GITHUB_TOKEN",
        "accessToken",
        "ACCESSTOKEN",
        "CLIENT_SECRET",
        "SECRET_KEY_BASE",
        "SECRET",
        "API_KEY",
        "apiKey",
        "APIKEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "ENCRYPTION_KEYS",
        "GOOGLE_CREDENTIALS",
        "CREDENTIAL",
        "SENTRY_DSN",
        "CONNECTION_STRING",
        "ConnectionStrings__Default",
        "AZURE_STORAGE_CONNECTIONSTRING",
        "SLACK_WEBHOOK_URL",
        "Authorization",
        "X-Api-Key",
        "BASIC_AUTH",
        "SESSION_COOKIE",
        "JWT",
    ],
)
def test_names_of_secrets(name: str) -> None:
    """In any of the spellings that environments, headers and property files have."""
    assert resembles_secret(name, "hunter2")


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "PORT",
        "LOG_LEVEL",
        "APP_NAME",
        "KEYCLOAK_URL",
        "TOKENIZERS",
        "PASSENGER",
        "SECRETARY",
        "MONKEYS",
        "AUTHOR",
        "PWD",
        "OLDPWD",
        "KEYSPACE",
        "COMPASSION",
        "RESPONSE_DELAY",
        "FAILURE_PERCENT",
    ],
)
def test_other_names(name: str) -> None:
    """A word that only begins like one is another word."""
    assert not resembles_secret(name, "value")


@pytest.mark.parametrize(
    "value",
    [
        "postgres://shop:hunter2@db:5432/shop",
        "amqp://:hunter2@queue",
        "https://user:p%40ss@example.com/path",
        "Server=db;User Id=sa;Password=hunter2;Encrypt=true",
        "-Dserver.port=8080 -Dtrust.password=hunter2",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        "Bearer abcdefgh12345",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "AKIAIOSFODNN7EXAMPLE",
        '{"apiKey": "hunter2"}',
    ],
)
def test_values_that_are_secrets_under_any_name(value: str) -> None:
    """A URL with a password, a text that assigns one, and forms that only secrets have."""
    assert resembles_secret("SETTING", value)


@pytest.mark.parametrize(
    "value",
    [
        "http://prometheus.monitoring:9090/api",
        "https://user@example.com/",
        "jdbc:postgresql://db:5432/shop",
        "host:8080,other:8080",
        "10m",
        "a=b;c=d",
        "key: value",
        "--tokenizer=fast",
    ],
)
def test_values_that_are_none(value: str) -> None:
    """An address, a list, an option."""
    assert not resembles_secret("SETTING", value)
    assert without_secrets(value) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENABLE_TOKEN_AUTH", "true"),
        ("REQUIRE_PASSWORD", "No"),
        ("API_KEY", ""),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("KEY_PATH", "/etc/tls/tls.key"),
    ],
)
def test_switches_and_places_of_secrets(name: str, value: str) -> None:
    """What is no secret whatever its name."""
    assert not resembles_secret(name, value)


def test_a_path_under_a_secrets_own_name_may_be_one() -> None:
    """Base64 begins with a slash now and then."""
    assert resembles_secret("API_KEY", "/Xy9zR1==")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("open postgres://shop:hunter2@db/shop failed", "open postgres://(hidden)@db/shop failed"),
        ('{"user":"a","password":"hunter 2","port":80}', '{"user":"a","password":(hidden),"port":80}'),
        (r'say "{\"token\": \"hunter2\"}"', r'say "{\"token\": (hidden)}"'),
        ("Authorization: Bearer abcdefgh12345 refused", "Authorization: (hidden) refused"),
        ("sent Bearer abcdefgh12345, refused", "sent (hidden), refused"),
        ("DB_PASSWORD=hunter=2 not accepted", "DB_PASSWORD=(hidden) not accepted"),
        ("env=token=hunter2", "env=token=(hidden)"),
        ("secret=(hidden)", "secret=(hidden)"),
        ("missing key: shop", "missing key: shop"),
        ("GET /hello 200 3ms", "GET /hello 200 3ms"),
        ("listen tcp :8080: bind: address in use", "listen tcp :8080: bind: address in use"),
    ],
)
def test_only_the_secret_of_a_line_is_hidden(line: str, shown: str) -> None:
    """The rest is what a person needs to mend the pod."""
    assert without_secrets(line) == shown


def test_a_private_key_is_hidden_whole() -> None:
    """Over several lines, and where the log was cut in the middle of it."""
    begin, body = "-----BEGIN EC PRIVATE KEY-----", "MHcCAQEEIBYr\nAbCd=="
    whole = f"key:\n{begin}\n{body}\n-----END EC PRIVATE KEY-----\nnot accepted"
    assert without_secrets(whole) == "key:\n(hidden)\nnot accepted"
    assert "MHcC" not in without_secrets(f"{begin}\n{body}")


def test_a_name_at_the_end_of_a_line_says_nothing_of_the_next() -> None:
    """Each line of a log is a text of its own."""
    assert without_secrets("no token:\ngiving up") == "no token:\ngiving up"
