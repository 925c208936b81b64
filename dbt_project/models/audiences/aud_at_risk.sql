{# One row per good customer of the past who stopped buying and agreed to marketing e-mail. #}

with

customers as (

    select * from {{ ref('customer_360') }}

),

candidates as (

    select
        customer_id,
        concat_ws(' ', 'last order', days_since_last_order, 'days ago') as reason
    from customers
    where rfm_segment in ('at_risk', 'cannot_lose')

),

final as (

    {{ with_consent('candidates', purpose='marketing', channel='email') }}

)

select * from final
