"""The shopkeeper's desk: products with pictures and prices, the category tree, and what was imported."""

from typing import Any

from chassis.admin import ReadOnlyAdmin, act_on_each, money_column
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.postgres.search import SearchQuery
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from products.admin_forms import ProductForm, VariantForm, VariantFormSet
from products.domain import categories, derived, export, images, products, relevance, search, shapes, slugs
from products.models import Category, ImportRun, Product, Variant

_PICTURE = '<img src="{}" alt="" loading="lazy" style="height:{}px;max-width:{}px;object-fit:contain">'


class InCategory(admin.SimpleListFilter):
    """The first level of the tree, with all that is below."""

    title = "category"
    parameter_name = "in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Category.objects.filter(parent=None).values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        return queryset.filter(lineage__contains=[self.value()]) if self.value() else queryset


class WithPicture(admin.SimpleListFilter):
    """What still needs a photograph."""

    title = "picture"
    parameter_name = "picture"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "With a picture"), ("no", "Without one")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        match self.value():
            case "yes":
                return queryset.exclude(images=[])
            case "no":
                return queryset.filter(images=[])
        return queryset


class VariantInline(TabularInline):
    model = Variant
    form = VariantForm
    formset = VariantFormSet
    extra = 0
    readonly_fields = ["money"]
    money = money_column("price", "currency", "price")

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """The form's own field of the price says nothing to those who may only look."""
        looks = obj is not None and not self.has_change_permission(request, obj)
        return ["sku", "options", "money"] if looks else ["sku", "options", "amount", "currency"]


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    form = ProductForm
    inlines = [VariantInline]
    list_display = ["picture", "name", "brand", "category", "price", "state", "updated"]
    list_display_links = ["picture", "name"]
    list_filter = ["status", InCategory, WithPicture]
    list_select_related = ["category"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["name"]
    search_help_text = "Name, brand, category or SKU"
    autocomplete_fields = ["category"]
    readonly_fields = ["slug", "pictures", "created", "updated"]
    fields = [
        "name", "slug", "brand", "category", "status", "description", "attributes",
        "pictures", "drop", "upload", "created", "updated",
    ]  # fmt: skip
    not_yet = {"slug", "pictures", "drop", "created", "updated"}
    """What a product has once it is there."""
    form_only = {"drop", "upload"}
    """What is done to a product, and is none of its values."""
    actions = ["publish", "archive", "export"]
    price = money_column("min_price", "currency", "price from")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders and carts know products by name: they are archived."""
        return False

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """Without what says nothing yet, or nothing to those who may only look."""
        if obj is None:
            return [field for field in self.fields if field not in self.not_yet]
        looks = not self.has_change_permission(request, obj)
        return [field for field in self.fields if not (looks and field in self.form_only)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        cheapest = Variant.objects.filter(product=OuterRef("pk")).order_by("price").values("currency")[:1]
        rows: QuerySet[Product] = super().get_queryset(request).annotate(currency=Subquery(cheapest))
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Product], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        """The search of the shop itself."""
        if not (words := search.words_of(search_term)):
            return queryset, False
        wanted = search.Filters(words=words).tsquery()
        return queryset.filter(words=SearchQuery(wanted, config=relevance.CONFIG, search_type="raw")), False

    def save_model(self, request: HttpRequest, obj: Product, form: ModelForm, change: bool) -> None:
        """A new product is a draft until its variants are there too."""
        if not change:
            (obj.slug,) = slugs.take([slugs.base(obj.name)])
            obj.status = Product.Status.DRAFT
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        """After the variants: the columns derived from them, the status, the uploaded picture."""
        super().save_related(request, form, formsets, change)
        product = form.instance
        derived.refresh([product.pk])
        fields = {"status": form.cleaned_data["status"]}
        if drop := form.cleaned_data["drop"]:
            kept = map(shapes.address_of, product.images)
            fields["images"] = [address for address in kept if address not in drop]
        products.change(slug=product.slug, fields=fields)
        if upload := form.cleaned_data.get("upload"):
            images.add(slug=product.slug, file=upload, size=upload.size)
        self._warn_of_prices(request, product)

    def _warn_of_prices(self, request: HttpRequest, product: Product) -> None:
        """Of what is no mistake in itself, for the shop may change its currency, but cannot be bought as it is."""
        foreign = product.variants.exclude(currency=settings.CURRENCY).order_by("sku").values_list("sku", flat=True)
        if skus := ", ".join(foreign):
            only = f"The shop sells in {settings.CURRENCY} only"
            messages.warning(request, f"{only}: nobody can buy {skus} at a price in another currency.")

    @display(description="")
    def picture(self, product: Product) -> str:
        if not product.images:
            return "–"
        return format_html(_PICTURE, shapes.address_of(product.images[0]), 40, 60)

    @display(description="pictures")
    def pictures(self, product: Product) -> str:
        return format_html_join(" ", _PICTURE, ((shapes.address_of(path), 120, 200) for path in product.images)) or "–"

    @display(
        description="status", ordering="status", label={"active": "success", "draft": "info", "archived": "warning"}
    )
    def state(self, product: Product) -> str:
        return product.status

    @action(description="Publish", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        def run(product: Product) -> None:
            products.change(slug=product.slug, fields={"status": "active"})

        act_on_each(request, queryset, run, "products are in the shop.")

    @action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        act_on_each(request, queryset, lambda product: products.archive(slug=product.slug), "products archived.")

    @action(description="Export as product feed (CSV)", permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Product]) -> StreamingHttpResponse:
        return StreamingHttpResponse(
            export.lines(list(queryset.order_by().values_list("pk", flat=True))),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="products.csv"'},
        )


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    list_display = ["indented", "slug"]
    search_fields = ["name", "slug"]
    autocomplete_fields = ["parent"]
    fields = ["name", "parent", "slug"]
    readonly_fields = ["slug"]
    ordering = ["path"]
    list_per_page = 200

    def save_model(self, request: HttpRequest, obj: Category, form: ModelForm, change: bool) -> None:
        """Its slug, once; then all that repeats its name or its place in the tree."""
        if not change:
            obj.slug = categories.new_slug(obj.name)
        super().save_model(request, obj, form, change)
        derived.refresh_tree()

    @display(description="category", ordering="path")
    def indented(self, category: Category) -> str:
        return format_html('<span style="padding-left:{}em">{}</span>', 1.5 * (len(category.path) - 1), category.name)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = ["file", "rows_done", "rows_refused", "started", "completed"]
