{# One row per customer id ever given out, and what became of it. #}

with

customer_ids as (

    select * from {{ source('identity', 'customer_ids') }}

),

record_customers as (

    select * from {{ source('identity', 'record_customers') }}

),

{# A customer is as sure as its least sure record, which its strongest pair holds. #}
sizes as (

    select
        customer_id,
        count(*) as records,
        count(distinct split_part(record_key, ':', 1)) as sources,
        min(
            case
                when link_weight is not null
                    then 1 / (1 + power(cast(2 as double), -link_weight))
            end
        ) as confidence,
        max(rules_version) as rules_version
    from record_customers
    group by customer_id

),

final as (

    select
        customer_ids.customer_id,
        customer_ids.status,
        customer_ids.merged_into,
        customer_ids.born_refresh,
        coalesce(sizes.records, 0) as records,
        coalesce(sizes.sources, 0) as sources,
        case when customer_ids.status = 'active' then coalesce(sizes.confidence, 1) end
            as confidence,
        coalesce(sizes.rules_version, customer_ids.rules_version) as rules_version
    from customer_ids
    left join sizes on customer_ids.customer_id = sizes.customer_id

)

select * from final
