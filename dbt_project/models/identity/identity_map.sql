{# One row per record: the customer it belongs to. #}

with

records as (

    select * from {{ ref('int_identity__records') }}

),

record_customers as (

    select * from {{ source('identity', 'record_customers') }}

),

final as (

    select
        records.record_key,
        records.source,
        record_customers.customer_id
    from records
    inner join record_customers on records.record_key = record_customers.record_key

)

select * from final
