"""What a feed's rows become, and which are refused and why."""

import json

import pytest

from products.domain.feed import Feed, Refused, Unreadable

HEADER = "id,title,price,quantity,product_type,brand,item_group_id,availability,color,size,image_link,gtin"


@pytest.fixture
def read(tmp_path):
    def of(content, currency="USD"):
        path = tmp_path / "feed"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with Feed(path, currency=currency) as feed:
            return list(feed)

    return of


def test_a_row_with_all_columns(read):
    cells = "A-1.x, Red   shirt ,19.90 USD,7,Clothes > Shirts >> ,Acme,G1,in stock,red,L,https://x.test/a.png,0123"
    (row,) = read(f"{HEADER}\n{cells}\n")
    assert (row.line, row.sku, row.name, row.price, row.currency, row.quantity) == (
        2,
        "A-1.x",
        "Red shirt",
        1990,
        "USD",
        7,
    )
    assert (row.category, row.brand, row.group) == (("Clothes", "Shirts"), "Acme", "G1")
    assert (row.options, row.attributes) == ({"color": "red", "size": "L"}, {"gtin": "0123"})
    assert row.image == "https://x.test/a.png"


@pytest.mark.parametrize("content", [
    "\ufeffid,title,price\r\nA,Été,1.00 USD\r\n",
    "id\ttitle\tprice\nA\tÉté\t1.00 USD\n",
    "g:id,Title,PRICE,unknown column\nA,Été,1.00 USD,whatever",
    '{"id": "A", "title": "Été", "price": "1.00 USD"}\n\n',
    '\ufeff{"id": "A", "title": "Été", "price": 1.00, "more": null}\n',
    'id,title,price\n\nA,"Été",1\n\n',
])  # fmt: skip
def test_csv_tsv_and_json_lines_with_and_without_a_byte_order_mark(read, content):
    (row,) = read(content)
    assert (row.sku, row.name, row.price, row.currency) == ("A", "Été", 100, "USD")


@pytest.mark.parametrize(
    ("price", "amount"),
    [("1.01 USD", (101, "USD")), ("USD 1.01", (101, "USD")), ("5 JPY", (5, "JPY")), ("1.250 KWD", (1250, "KWD")),
     ("0", (0, "USD")), ("1.1", (110, "USD"))],
)  # fmt: skip
def test_prices(read, price, amount):
    (row,) = read(f"id,title,price\nA,T,{price}\n")
    assert (row.price, row.currency) == amount


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "id '' is no SKU"),
        ({"id": "a b"}, "id 'a b' is no SKU"),
        ({"id": "facets"}, "id 'facets' is no SKU"),
        ({"id": "x" * 65}, "is no SKU"),
        ({"title": " "}, "title is empty"),
        ({"title": "x" * 151}, "title is longer than 150"),
        ({"title": "a\u0007b"}, "title holds control characters"),
        ({"title": "a\u0000b"}, "NUL"),
        ({"title": ["x"]}, "title is neither text nor a number"),
        ({"price": ""}, "price '' is not like '1.01 USD'"),
        ({"price": "free"}, "price 'free'"),
        ({"price": "-1 USD"}, "price '-1 USD'"),
        ({"price": "1,50 USD"}, "price '1,50 USD'"),
        ({"price": "1.001 USD"}, "not an amount in USD"),
        ({"price": "99999999999 USD"}, "too high"),
        ({"price": "USD 1 USD"}, "price 'USD 1 USD'"),
        ({"price": True}, "price is neither"),
        ({"quantity": "-1"}, "quantity '-1'"),
        ({"quantity": "1.5"}, "quantity '1.5'"),
        ({"quantity": "²"}, "quantity '²'"),
        ({"quantity": "9" * 30}, "quantity '999"),
        ({"availability": "maybe"}, "availability 'maybe' is none of in_stock"),
        ({"image_link": "javascript:alert(1)"}, "image_link"),
        ({"image_link": "http://[x"}, "image_link"),
        ({"product_type": ">".join("abcdefghijk")}, "product_type is deeper"),
        ({"brand": "x" * 101}, "brand is longer than 100"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_line_and_reason(read, change, reason):
    good = {"id": "A", "title": "T", "price": "1 USD"}
    lines = [good, good | change, good | {"id": "B"}]
    rows = read("\n".join(json.dumps(line) for line in lines))
    assert [type(row).__name__ for row in rows] == ["Row", "Refused", "Row"]
    assert rows[1].line == 2
    assert reason in rows[1].reason


def test_out_of_stock_has_no_quantity(read):
    (row,) = read("id,title,price,quantity,availability\nA,T,1,5,Out of stock\n")
    assert row.quantity == 0


def test_damage_is_reported_where_it_is_and_reading_goes_on(read):
    content = b'id,title,price\nA,"two\nlines",1\nB,\xff\xfe,1\nC,T,1,extra\nD,T\nE,T,1\n'
    rows = read(content)
    assert [(row.line, getattr(row, "sku", None)) for row in rows] == [
        (2, "A"),
        (4, None),
        (5, None),
        (6, None),
        (7, "E"),
    ]
    assert [row.reason for row in rows if isinstance(row, Refused)] == [
        "title is not UTF-8",
        "has 4 cells, the header 3",
        "price '' is not like '1.01 USD'",
    ]


def test_a_quote_that_is_never_closed_does_not_swallow_the_file(read):
    rows = read('id,title,price\nA,"open,1\n' + "".join(f"S{n},{'x' * 100},1\n" for n in range(3000)))
    assert isinstance(rows[0], Refused)
    assert rows[0].line == 2
    assert "is a quote not closed?" in rows[0].reason
    assert sum(not isinstance(row, Refused) for row in rows) > 1000


@pytest.mark.parametrize("line", ['{"id": "A",', "[1]", '{"id": "A", "id": "B"}', "{" * 5000, '{"title": "\\ud800"}'])
def test_json_that_is_none_is_refused(read, line):
    rows = read('{"id": "A", "title": "T", "price": "1"}\n' + line + '\n{"id": "B", "title": "T", "price": "1"}')
    assert [type(row).__name__ for row in rows] == ["Row", "Refused", "Row"]


@pytest.mark.parametrize("content", ["", "\n", "id,title\nA,B", "id,title,price,id\n", "PK\x03\x04", "<rss/>"])
def test_a_file_that_is_no_feed_is_refused_as_a_whole(read, content):
    with pytest.raises(Unreadable):
        read(content)
