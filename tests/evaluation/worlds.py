"""A small shop for the tests of evaluation/: products whose facets are known by their number."""

from io import BytesIO

from PIL import Image

from catalog.products import Product, Term

COLOURS = ("Red", "Blue", "Green", "Black")
GOODS = (("Clothing", "Dresses"), ("Clothing", "Shirts"), ("Home", "Mugs"))
TERMS = [
    Term("colour", "Red", "zh", "红色"),
    Term("colour", "Blue", "zh", "蓝色"),
    Term("colour", "Green", "zh", "绿色"),
    Term("colour", "Black", "zh", "黑色"),
    Term("category", "Dresses", "zh", "连衣裙"),
    Term("category", "Shirts", "zh", "衬衫"),
    Term("category", "Mugs", "zh", "马克杯"),
]


def shop(count: int = 48) -> list[Product]:
    """`count` products: number i is COLOURS[i % 4] and GOODS[i % 3]; every eighth has no picture."""
    return [
        Product(
            id=f"p{number:03}",
            group_id=f"g{number:03}",
            title=f"Maker{number} {COLOURS[number % 4]} {GOODS[number % 3][1]} style {number}",
            category=GOODS[number % 3],
            attributes={"colour": COLOURS[number % 4], "batch": f"b{number % 2}"},
            price=float(number),
            images=() if number % 8 == 7 else (f"photo{number:03}",),
        )
        for number in range(count)
    ]


def photo(red: int, size: tuple[int, int] = (40, 20)) -> bytes:
    """A PNG that is dark on the left half and `red` on the right half."""
    image = Image.new("RGB", size, (20, 20, 20))
    image.paste((red, 40, 40), (size[0] // 2, 0, *size))
    buffer = BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
