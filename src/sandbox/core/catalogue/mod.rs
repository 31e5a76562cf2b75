//! Products and prices (<https://docs.stripe.com/api/products>, <https://docs.stripe.com/api/prices>).

mod price;
mod product;

pub(super) use self::price::{
    NewPrice, create as create_price, list as list_prices, make as make_price, retrieve as retrieve_price,
    update as update_price,
};
pub(super) use self::product::{
    create as create_product, list as list_products, retrieve as retrieve_product, update as update_product,
};
