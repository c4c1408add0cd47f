"""The forms of the admin: money as people write it, SKUs that can be one, pictures that are one."""

from io import BytesIO
from typing import Any

from chassis import money
from chassis.errors import DomainError
from chassis.fields import MAX_INT, is_sku
from django import forms
from django.conf import settings
from django.forms import BaseInlineFormSet, ModelForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminImageFieldWidget,
    UnfoldAdminTextInputWidget,
)

from products.domain import images, shapes
from products.models import Product, Variant


class ProductForm(ModelForm):
    """A product; ``upload`` adds a picture."""

    upload = forms.FileField(
        label="add a picture", required=False, widget=UnfoldAdminImageFieldWidget, help_text="JPEG, PNG, WebP or GIF"
    )

    drop = forms.MultipleChoiceField(
        label="remove pictures",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="In their order.",
    )

    class Meta:
        model = Product
        fields = ["name", "brand", "category", "status", "description", "attributes"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        addresses = [shapes.address_of(path) for path in self.instance.images]
        choices = [(address, f"{n}: {address.rsplit('/', 1)[-1]}") for n, address in enumerate(addresses, start=1)]
        self.fields["drop"].choices = choices  # type: ignore[attr-defined]

    def clean_attributes(self) -> Any:
        """A JSON object; an empty field is an empty one."""
        value = self.cleaned_data["attributes"]
        if value not in (None, "") and not isinstance(value, dict):
            raise forms.ValidationError('A JSON object, such as {"organic": true}.')
        return value or {}

    def clean_upload(self) -> Any:
        """Something that can be read as a picture."""
        if upload := self.cleaned_data["upload"]:
            try:
                images.encoded(BytesIO(upload.read()))
            except DomainError as refusal:
                raise forms.ValidationError(refusal.detail) from None
            upload.seek(0)
        return upload


class VariantForm(ModelForm):
    """A variant; ``amount`` is its price as people write it."""

    amount = forms.CharField(label="price", max_length=20, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Variant
        fields = ["sku", "options", "currency"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        variant = self.instance
        if variant.pk:
            self.fields["amount"].initial = money.shown(variant.price, variant.currency).split()[0].replace(",", "")
        else:
            self.initial.setdefault("currency", settings.CURRENCY)

    def clean_sku(self) -> str:
        """What names goods in paths."""
        sku: str = self.cleaned_data["sku"]
        if not is_sku(sku):
            raise forms.ValidationError("1 to 64 letters, digits, dots, dashes or underscores; no reserved word.")
        return sku

    def clean_options(self) -> Any:
        """Short texts by short names."""
        value = self.cleaned_data["options"] or {}
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise forms.ValidationError('A JSON object of texts, such as {"color": "red"}.')
        return value

    def clean(self) -> dict[str, Any]:
        """The price in minor units."""
        values: dict[str, Any] = super().clean() or {}
        currency = values.get("currency", "").upper()
        if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
            self.add_error("currency", "Give an ISO 4217 code, such as USD.")
        elif "amount" in values:
            values["currency"] = currency
            try:
                price = money.parsed(values["amount"], currency)
            except ValueError as error:
                self.add_error("amount", str(error))
            else:
                if not 0 <= price <= MAX_INT:
                    self.add_error("amount", "Not below zero, and not beyond what a price can be.")
                self.instance.price = price
        return values


class VariantFormSet(BaseInlineFormSet):
    """What is for sale has a variant."""

    def clean(self) -> None:
        """Counts what will be left."""
        super().clean()
        left = [
            form for form in self.forms if getattr(form, "cleaned_data", None) and not form.cleaned_data.get("DELETE")
        ]
        if self.instance.status == Product.Status.ACTIVE and not left:
            raise forms.ValidationError("An active product needs a variant. Add one, or make it a draft.")
