{# One row per invoice line and file; lines that stand in an earlier file too are flagged. #}
{{ config(materialized='table') }}

with

source as (

    select * from {{ source('raw_shop', 'order_lines') }}

),

renamed as (

    select
        invoice as order_id,
        {{ clean_text('line_id') }} as line_id,
        upper(trim(stock_code)) as stock_code,
        {{ clean_text('description') }} as description,
        quantity,
        cast(invoice_date as timestamp) as ordered_at,
        cast(price as decimal(18, 3)) as unit_price,
        cast(quantity * cast(price as decimal(18, 3)) as decimal(18, 3)) as line_amount,
        coalesce(upper({{ clean_text('currency') }}), 'GBP') as currency,
        cast(customer_id as string) as user_id,
        {{ clean_text('country') }} as country,
        invoice like 'C%' as is_cancellation,
        cast(updated_at as timestamp) as updated_at,
        origin,
        _dlt_load_id as load_id,
        {{ time_of_load('_dlt_load_id') }} as loaded_at
    from source

),

{# Where a shop does not number its lines, equal ones of an invoice are told apart by counting. #}
numbered as (

    select
        *,
        row_number() over (
            partition by
                origin,
                load_id,
                order_id,
                stock_code,
                description,
                quantity,
                ordered_at,
                unit_price
            order by user_id asc nulls last
        ) as occurrence
    from renamed

),

keyed as (

    select
        case
            when line_id is not null then {{ surrogate_key(['order_id', 'line_id']) }}
            else {{ surrogate_key([
                'order_id', 'stock_code', 'description', 'quantity', 'ordered_at', 'unit_price',
                'occurrence',
            ]) }}
        end as order_line_id,
        *
    from numbered

),

final as (

    select
        order_line_id,
        order_id,
        stock_code,
        description,
        quantity,
        ordered_at,
        unit_price,
        line_amount,
        currency,
        user_id,
        country,
        is_cancellation,
        origin,
        loaded_at,
        row_number() over (
            partition by order_line_id
            order by updated_at desc nulls last, origin asc nulls last, load_id desc
        ) > 1 as is_duplicate
    from keyed

)

select * from final
