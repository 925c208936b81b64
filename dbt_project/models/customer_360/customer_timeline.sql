{#
One row per interaction of a customer with the company, whole history, in one shape.

It tells what happened: what metrics leave out as outliers is here, and decisions that a later one
has replaced.
#}
{{ config(
    materialized='by_key',
    key='customer_id',
    inputs={
        'fct_orders': {'key': 'customer_id', 'numbers_of': 'fct_touchpoints'},
        'fct_sessions': {'key': 'customer_id', 'is_watched': false},
        'fct_refunds': {'key': 'customer_id'},
        'consent_decisions': {'key': 'customer_id'},
        'int_customer_360__conversations': {'key': 'customer_id'}
    },
    fixed={'dim_products': 'product_id, product_name'}
) }}
-- depends_on: {{ ref('fct_touchpoints') }}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where customer_id is not null

),

refunds as (

    select * from {{ ref('fct_refunds') }}
    where customer_id is not null

),

sessions as (

    select * from {{ ref('fct_sessions') }}
    where customer_id is not null

),

{# Two records of a customer may tell of one decision. #}
decisions as (

    select
        customer_id,
        purpose,
        channel,
        is_granted,
        source,
        {{ epoch_seconds('decided_at') }} as decided_second,
        min(decided_at) as decided_at
    from {{ ref('consent_decisions') }}
    group by
        customer_id, purpose, channel, is_granted, source, {{ epoch_seconds('decided_at') }}

),

conversations as (

    select * from {{ ref('int_customer_360__conversations') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

final as (

    select
        {{ surrogate_key(["'order'", 'order_id']) }} as interaction_id,
        customer_id,
        ordered_at as occurred_at,
        'order' as kind,
        channel,
        {# Items are counted without outliers: where there are any, they are not all. #}
        concat_ws(
            ' ', 'Bought',
            case when order_amount = gross_amount then concat_ws(' ', items, 'items of') end,
            products, 'products'
        ) as summary,
        gross_amount as amount,
        order_id as reference
    from orders
    union all
    select
        {{ surrogate_key(["'refund'", 'refunds.refund_id']) }} as interaction_id,
        refunds.customer_id,
        refunds.refunded_at as occurred_at,
        'refund' as kind,
        refunds.channel,
        concat_ws(' ', 'Gave back', refunds.quantity, products.product_name) as summary,
        -refunds.refund_amount as amount,
        refunds.cancellation_id as reference
    from refunds
    left join products on refunds.product_id = products.product_id
    union all
    select
        {{ surrogate_key(["'session'", 'session_id']) }} as interaction_id,
        customer_id,
        started_at as occurred_at,
        'visit' as kind,
        'web' as channel,
        concat_ws(
            ' ', 'Came by', marketing_channel, campaign_name, 'and saw', page_views, 'pages and',
            product_views, 'products',
            case when products_kept > 0 and orders = 0 then 'and left something in the cart' end
        ) as summary,
        null as amount,
        session_id as reference
    from sessions
    union all
    select
        {{ surrogate_key([
            "'consent'", 'customer_id', 'purpose', 'channel', 'is_granted', 'source',
            'decided_second'
        ]) }} as interaction_id,
        customer_id,
        decided_at as occurred_at,
        'consent' as kind,
        source as channel,
        concat_ws(
            ' ', case when is_granted then 'Agreed to' else 'Refused' end, purpose, 'by', channel
        ) as summary,
        null as amount,
        null as reference
    from decisions
    union all
    select
        interaction_id,
        customer_id,
        occurred_at,
        kind,
        channel,
        summary,
        null as amount,
        reference
    from conversations

)

select * from final
