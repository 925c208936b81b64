{#
One row per job title that somebody has or had, and the occupation it counts as where people are
counted. Occupations of fewer than `smallest_group` customers are `other`, as titles are that no word
fits; `other` of too few is unknown. Sensitive occupations are unknown, and where too few told no title
to hide them, `other` is, too.
#}

{% set least = var('smallest_group') %}

with

told as (

    select value as job_title from {{ ref('profile_history') }}
    where field = 'job_title'
    union distinct
    select job_title from {{ ref('customer_profiles') }}
    where job_title is not null

),

holders as (

    select
        job_title,
        count(*) as customers
    from {{ ref('customer_profiles') }}
    group by job_title

),

untold as (

    select coalesce(sum(customers), 0) as untold from holders
    where job_title is null

),

occupation_words as (

    select * from {{ ref('occupation_words') }}

),

{# A word counts at the start of a word of the title. The first that fits is taken. #}
fitting as (

    select
        told.job_title,
        occupation_words.occupation,
        occupation_words.is_sensitive,
        row_number() over (
            partition by told.job_title
            order by
                occupation_words.priority asc nulls last,
                length(occupation_words.word) desc,
                occupation_words.word asc nulls last
        ) as place
    from told
    inner join occupation_words
        on
            concat_ws('', ' ', translate(upper(told.job_title), '-/.,&()*', '        '))
            like concat_ws('', '% ', occupation_words.word, '%')

),

grouped as (

    select
        told.job_title,
        coalesce(holders.customers, 0) as customers,
        coalesce(fitting.is_sensitive, false) as is_sensitive,
        coalesce(fitting.occupation, 'other') as occupation
    from told
    left join holders on told.job_title = holders.job_title
    left join fitting on told.job_title = fitting.job_title and fitting.place = 1

),

counted as (

    select
        *,
        occupation <> 'other'
        and not is_sensitive
        and sum(customers) over (partition by occupation) >= {{ least }} as is_named
    from grouped

),

rest_counted as (

    select
        counted.*,
        untold.untold,
        sum(case when counted.is_named or counted.is_sensitive then 0 else counted.customers end)
            over () as others,
        sum(case when counted.is_sensitive then counted.customers else 0 end) over () as sensitive
    from counted
    cross join untold

),

final as (

    select
        job_title,
        case
            when is_named then occupation
            when
                not is_sensitive
                and others >= {{ least }}
                and (sensitive = 0 or untold >= {{ least }})
                then 'other'
            else 'unknown'
        end as segment
    from rest_counted

)

select * from final
