use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kpi_slice")]
pub struct Model {
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kpi_id: Uuid,
    pub spec_version: i32,
    pub part: i16,
    pub cube: String,
    pub any1: Option<Vec<String>>,
    pub any2: Option<Vec<String>>,
    pub any3: Option<Vec<String>>,
    pub none1: Option<Vec<String>>,
    pub none2: Option<Vec<String>>,
    pub none3: Option<Vec<String>>,
    pub keep2: bool,
    pub keep3: bool,
    pub filled_to: Date,
    pub state: String,
    pub facts_total: Option<i64>,
    pub facts_done: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
