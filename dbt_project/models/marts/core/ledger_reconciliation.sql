{# One row per exported file of the shop's ledger and kind of line: where every penny went. #}

with

raw_lines as (

    select
        origin,
        order_line_id,
        line_amount,
        is_duplicate
    from {{ ref('stg_shop__order_lines') }}

),

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where channel = 'shop'

),

explained as (

    select
        raw_lines.origin,
        raw_lines.line_amount,
        case
            when raw_lines.is_duplicate then 'duplicate'
            when order_lines.outlier_reason is not null then order_lines.line_class || ' outlier'
            else order_lines.line_class
        end as reason,
        not raw_lines.is_duplicate and coalesce(order_lines.is_counted, false) as is_counted
    from raw_lines
    left join order_lines on raw_lines.order_line_id = order_lines.order_line_id

),

final as (

    select
        origin,
        reason,
        is_counted,
        count(*) as lines,
        cast(sum(line_amount) as decimal(18, 3)) as amount
    from explained
    group by origin, reason, is_counted

)

select * from final
