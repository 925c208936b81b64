{# One row per line of a receipt, in its newest version. #}

with

source as (

    select * from {{ source('raw_pos', 'receipt_lines') }}

),

renamed as (

    select
        {{ clean_text('receipt_id') }} as receipt_id,
        line_number,
        {{ clean_text('store') }} as store,
        cast(sold_at as timestamp) as sold_at,
        lower({{ clean_text('loyalty_number') }}) as loyalty_number,
        upper(trim(stock_code)) as stock_code,
        {{ clean_text('description') }} as description,
        quantity,
        cast(unit_price as decimal(18, 3)) as unit_price,
        cast(quantity * cast(unit_price as decimal(18, 3)) as decimal(18, 3)) as line_amount,
        coalesce(upper({{ clean_text('currency') }}), 'GBP') as currency,
        {{ clean_text('refunded_receipt_id') }} as refunded_receipt_id,
        {{ time_of_load('_dlt_load_id') }} as loaded_at,
        row_number() over (
            partition by receipt_id, line_number order by _dlt_load_id desc, origin desc
        ) as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1

)

select * from deduplicated
