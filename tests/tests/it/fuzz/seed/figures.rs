//! Figures of its own, what it says of alerts, and dashboards with a link.

use std::time::Duration;

use serde_json::{Value, json};

use super::Desk;
use crate::house::House;

impl Desk<'_> {
    pub(super) async fn figures(&mut self, house: &House) {
        let aim = json!({"kpiId": house.ids["kpi"], "expectedVersion": 1, "target": self.mark.amount});
        self.act("setKpiTarget", "kpi { id }", aim).await;
        let label = json!({"kpiId": house.ids["kpi"], "expectedVersion": 2, "labelFr": self.text("figure")});
        self.act("renameKpi", "kpi { id }", label).await;
        let spec = json!({"cube": "invoice.issued", "measure": {"kind": "SUM", "quantity": "net"}, "window": {"kind": "ALL"},
            "filter": [{"dimension": "customer", "anyOf": [self.things["party"]]}]});
        self.figure("kpi.own", "own", spec).await;
        let spec = json!({"cube": "invoice.issued", "measure": {"kind": "COUNT"}, "window": {"kind": "ALL"}});
        for (label, key) in [("kpi.to_archive", "first"), ("kpi.to_archive.second", "second")] {
            self.figure(label, key, spec.clone()).await;
        }
        self.come_to_rest().await;
        let wish = json!({"kpiId": house.ids["kpi"], "minLevel": "CRITICAL", "mail": false});
        self.act("subscribeToKpi", "subscription { mail }", wish).await;
        let closed = json!([{"day": self.today, "name": self.text("closure")}]);
        let calendar = json!({"expectedVersion": 1, "publicHolidays": true, "closures": closed,
            "hours": [{"weekday": "MONDAY", "opens": "09:00", "closes": "17:00"}]});
        self.act("setBusinessCalendar", "businessCalendar { version }", calendar).await;
        for label in ["dashboard.to_archive", "dashboard"] {
            let tile = json!({"id": self.text("tile"), "kpiKey": "revenue_month", "x": 0, "y": 0, "width": 3, "height": 2,
                "view": "NUMBER"});
            let board = json!({"title": self.text(label), "shared": true, "layout": [tile]});
            self.made(label, "createDashboard", "dashboard", board).await;
        }
        let link = json!({"dashboardId": self.things["dashboard"], "expiresAt": self.soon,
            "lockedFilters": [{"dimension": "kind", "anyOf": ["invoice"]}]});
        let made = self.act("createEmbedLink", "link { id }", link).await;
        self.things.insert("embed_link", made["id"].as_str().expect("id").to_owned());
    }

    async fn figure(&mut self, label: &'static str, key: &str, spec: Value) {
        let figure = json!({"key": format!("{}_{key}", self.mark.word), "labelFr": self.text(&format!("{key}-fr")),
            "labelEn": self.text(&format!("{key}-en")), "descriptionFr": self.text("what-fr"),
            "descriptionEn": self.text("what-en"), "spec": spec, "direction": "UP", "target": "7"});
        self.made(label, "createKpi", "kpi", figure).await;
    }

    /// Waits until what the figures measure is filled from history.
    async fn come_to_rest(&self) {
        loop {
            let data = self
                .server
                .ask(self.token, "{ kpis(includePending: true) { kpis { pending { state } } } }", json!({}))
                .await;
            let kpis = data["kpis"]["kpis"].as_array().expect("kpis");
            if kpis.iter().all(|kpi| kpi["pending"].is_null()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
