{# One row per buyer and stay in a cluster, with the figures of the days it began and ended. #}

with

changes as (

    select * from {{ source('ml', 'cluster_changes') }}

),

told as (

    select
        customer_id,
        changed_on,
        cluster_label,
        concat_ws(' ', 'no other centre of model', model_version, 'is clearly nearer')
            as stays_because,
        concat_ws(
            '', 'orders: ', orders, ', in 90 days: ', orders_90_days,
            '; net: ', {{ figure('net_amount') }}, ', an order: ',
            {{ figure('average_order_amount') }}, '; days since the first: ',
            days_since_first_order, ', since the last: ', days_since_last_order
        ) as figures
    from changes

),

final as (

    select
        customer_id,
        'cluster' as segment_kind,
        'cluster' as dimension,
        cluster_label as segment,
        changed_on as entered_on,
        lead(changed_on) over following as left_on,
        figures as entered_because,
        stays_because,
        lead(figures) over following as left_because
    from told
    window following as (partition by customer_id order by changed_on asc nulls last)

)

select * from final
