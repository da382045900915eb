"""The public addresses of modules."""

from django.urls import path

from modules_access.pages.catalogue import BuyPage, catalogue, module
from modules_access.pages.encours import PayModulePage, encours, receipt
from modules_access.pages.opening import OpenPage, demo_room

urlpatterns = [
    path("modules/", catalogue, name="modules"),
    path("modules/<slug:slug>/", module, name="module"),
    path("modules/<slug:slug>/buy", BuyPage.as_view(), name="buy-module"),
    path("encours/", encours, name="encours"),
    path("encours/<int:access_id>/open", OpenPage.as_view(), name="open-module"),
    path("encours/<uuid:public_id>/pay", PayModulePage.as_view(), name="pay-module"),
    path("encours/<uuid:public_id>/receipt/", receipt, name="module-receipt"),
    path("encours/<uuid:public_id>/receipt.pdf", receipt, {"as_pdf": True}, name="module-receipt-pdf"),
    # 404 in production.
    path("demo/module/<slug:slug>/", demo_room, name="demo-module"),
]
