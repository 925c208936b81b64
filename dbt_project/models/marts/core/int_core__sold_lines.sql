{# One row per line of an order or receipt, of every channel, classified; duplicates are gone. #}

with

order_lines as (

    select * from {{ ref('stg_shop__order_lines') }}
    where not is_duplicate

),

receipt_lines as (

    select * from {{ ref('stg_pos__receipt_lines') }}

),

stock_code_classes as (

    select * from {{ ref('stock_code_classes') }}

),

exchange_rates as (

    select * from {{ ref('int_core__exchange_rates') }}

),

shop_lines as (

    select
        order_line_id,
        'shop:' || order_id as order_id,
        'shop' as channel,
        coalesce('shop:account:' || user_id, 'shop:order:' || order_id) as record_key,
        stock_code,
        description,
        quantity,
        unit_price,
        line_amount,
        currency,
        ordered_at,
        country,
        is_cancellation,
        cast(null as string) as refunded_order_id,
        {{ impossible_time('ordered_at', 'loaded_at') }} as impossible_time
    from order_lines

),

store_lines as (

    select
        {{ surrogate_key(["'store'", 'receipt_id', 'line_number']) }} as order_line_id,
        'store:' || receipt_id as order_id,
        'store' as channel,
        'pos:card:' || loyalty_number as record_key,
        stock_code,
        description,
        quantity,
        unit_price,
        line_amount,
        currency,
        sold_at as ordered_at,
        cast(null as string) as country,
        quantity < 0 as is_cancellation,
        'store:' || refunded_receipt_id as refunded_order_id,
        {{ impossible_time('sold_at', 'loaded_at') }} as impossible_time
    from receipt_lines

),

lines as (

    select * from shop_lines
    union all
    select * from store_lines

),

final as (

    select
        lines.order_line_id,
        lines.order_id,
        lines.channel,
        lines.record_key,
        lines.stock_code as product_id,
        lines.description,
        lines.quantity,
        cast(lines.unit_price * exchange_rates.rate as decimal(18, 3)) as unit_price,
        cast(lines.line_amount * exchange_rates.rate as decimal(18, 3)) as line_amount,
        lines.currency,
        lines.ordered_at,
        lines.country,
        lines.refunded_order_id,
        lines.impossible_time,
        case
            when stock_code_classes.line_class is not null then stock_code_classes.line_class
            when lines.stock_code like 'GIFT%' then 'voucher'
            when lines.is_cancellation then 'cancellation'
            when lines.quantity < 0 then 'stock_movement'
            when lines.unit_price = 0 then 'free_of_charge'
            when lines.unit_price < 0 then 'adjustment'
            else 'sale'
        end as line_class
    from lines
    left join stock_code_classes on lines.stock_code = stock_code_classes.stock_code
    left join exchange_rates
        on
            lines.currency = exchange_rates.currency
            and cast(lines.ordered_at as date) >= exchange_rates.valid_from
            and cast(lines.ordered_at as date) < exchange_rates.valid_to

)

select * from final
