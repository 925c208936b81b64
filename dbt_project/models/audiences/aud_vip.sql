{# One row per customer among the best who agreed to marketing e-mail. #}

with

customers as (

    select * from {{ ref('customer_360') }}

),

candidates as (

    select
        customer_id,
        concat_ws(' ', 'segment', rfm_segment) as reason
    from customers
    where rfm_segment = 'champions'

),

final as (

    {{ with_consent('candidates', purpose='marketing', channel='email') }}

)

select * from final
