use serde_json::json;

use super::*;

const TEXT: &str = "{ viewer { role } }";
const A: Owner = Owner::Company(Uuid::from_u128(1));
const B: Owner = Owner::Company(Uuid::from_u128(2));

fn extension(hash: &str) -> Map<String, Value> {
    let Value::Object(map) = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}}) else {
        unreachable!()
    };
    map
}

fn named(text: &str) -> Map<String, Value> {
    extension(&DocumentHash::of(text).to_string())
}

/// A cache over the test's Redis, with a namespace that other caches may share.
fn over_redis(options: &Options) -> DocumentCache {
    let url = std::env::var("COULISSE_TEST_REDIS_URL").expect("COULISSE_TEST_REDIS_URL: run `make test`");
    let link = Link::open(&url, &options.namespace, "documents", Duration::from_secs(20)).expect("a URL");
    DocumentCache::build(options.clone(), Some(link))
}

fn options() -> Options {
    Options { namespace: format!("test-{}", Uuid::now_v7()), ..Options::default() }
}

async fn register(cache: &DocumentCache, owner: Owner, text: &str) {
    let document = cache.resolve(owner, Some(text), &named(text)).await.expect("good").expect("named");
    assert!(document.is_new);
    cache.keep(owner, &document).await;
}

async fn by_hash(cache: &DocumentCache, owner: Owner, text: &str) -> Result<Arc<str>, Refused> {
    cache.resolve(owner, None, &named(text)).await.map(|found| found.expect("named").text)
}

#[tokio::test]
async fn a_text_is_sent_once_and_then_named() {
    for cache in [DocumentCache::local(options()), over_redis(&options())] {
        assert_eq!(by_hash(&cache, A, TEXT).await, Err(Refused::NotFound));
        register(&cache, A, TEXT).await;
        assert_eq!(by_hash(&cache, A, TEXT).await.as_deref(), Ok(TEXT));
        let again = cache.resolve(A, Some(TEXT), &named(TEXT)).await.expect("good").expect("named");
        assert!(!again.is_new);
    }
}

#[tokio::test]
async fn what_was_not_found_good_is_not_kept() {
    let cache = over_redis(&options());
    let document = cache.resolve(A, Some(TEXT), &named(TEXT)).await.expect("good").expect("named");
    assert_eq!((&*document.text, document.is_new), (TEXT, true));
    assert_eq!(by_hash(&cache, A, TEXT).await, Err(Refused::NotFound));
}

#[tokio::test]
async fn no_owner_learns_what_another_has_sent() {
    let cache = over_redis(&options());
    register(&cache, A, TEXT).await;
    for other in [B, Owner::Strangers] {
        assert_eq!(by_hash(&cache, other, TEXT).await, Err(Refused::NotFound));
    }
    register(&cache, Owner::Strangers, "{ __typename }").await;
    assert_eq!(by_hash(&cache, A, "{ __typename }").await, Err(Refused::NotFound));
}

#[tokio::test]
async fn replicas_share_the_texts_of_companies_and_not_of_strangers() {
    let options = options();
    let (one, two) = (over_redis(&options), over_redis(&options));
    register(&one, A, TEXT).await;
    register(&one, Owner::Strangers, TEXT).await;
    assert_eq!(by_hash(&two, A, TEXT).await.as_deref(), Ok(TEXT));
    assert_eq!(by_hash(&two, Owner::Strangers, TEXT).await, Err(Refused::NotFound));
}

#[tokio::test]
async fn another_text_under_a_hash_is_refused_wherever_it_comes_from() {
    let options = options();
    let cache = over_redis(&options);
    let mismatch = cache.resolve(A, Some("{ company { id } }"), &named(TEXT)).await;
    assert_eq!(mismatch, Err(Refused::Mismatch));
    let [texts, _] = cache.keys(Uuid::from_u128(1));
    let url = std::env::var("COULISSE_TEST_REDIS_URL").expect("COULISSE_TEST_REDIS_URL");
    let mut redis =
        redis::Client::open(url).expect("URL").get_multiplexed_async_connection().await.expect("Redis");
    let mut forge = redis::cmd("HSET");
    forge.arg(texts).arg(DocumentHash::of(TEXT).to_string()).arg("mutation { steal }");
    forge.query_async::<()>(&mut redis).await.expect("HSET");
    assert_eq!(by_hash(&cache, A, TEXT).await, Err(Refused::NotFound));
}

#[tokio::test]
async fn a_company_keeps_so_many_texts_in_redis_and_the_oldest_go() {
    let options = Options { most_texts: 3, ..options() };
    let writer = over_redis(&options);
    let texts: Vec<String> = (0..5).map(|n| format!("{{ a{n}: __typename }}")).collect();
    for text in &texts {
        register(&writer, A, text).await;
    }
    let reader = over_redis(&options);
    for (n, text) in texts.iter().enumerate() {
        assert_eq!(by_hash(&reader, A, text).await.is_ok(), n >= 2, "{text}");
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_runs_and_is_not_kept() {
    let cache = DocumentCache::local(Options { most_text_bytes: TEXT.len() - 1, ..options() });
    let document = cache.resolve(A, Some(TEXT), &named(TEXT)).await.expect("good").expect("named");
    cache.keep(A, &document).await;
    assert_eq!(by_hash(&cache, A, TEXT).await, Err(Refused::NotFound));
}

#[tokio::test]
async fn strangers_fill_their_own_bounded_place_only() {
    let cache = DocumentCache::local(Options { strangers_memory_bytes: 100_000, ..options() });
    register(&cache, A, TEXT).await;
    for n in 0..2000 {
        register(&cache, Owner::Strangers, &format!("{{ a{n}: __typename {} }}", "b ".repeat(200))).await;
    }
    cache.0.strangers.run_pending_tasks().await;
    assert!(cache.0.strangers.weighted_size() <= 100_000);
    assert_eq!(by_hash(&cache, A, TEXT).await.as_deref(), Ok(TEXT));
}

#[tokio::test]
async fn without_redis_each_replica_asks_for_the_text_once() {
    let cache = DocumentCache::over_redis("redis://127.0.0.1:9", options()).expect("a URL");
    register(&cache, A, TEXT).await;
    assert_eq!(by_hash(&cache, A, TEXT).await.as_deref(), Ok(TEXT));
    assert_eq!(by_hash(&cache, B, TEXT).await, Err(Refused::NotFound));
}

#[tokio::test]
async fn an_extension_that_is_not_what_it_must_be_is_named() {
    let cache = DocumentCache::local(options());
    let told = async |extensions: Value| {
        let Value::Object(extensions) = extensions else { unreachable!() };
        cache.resolve(A, Some(TEXT), &extensions).await
    };
    assert_eq!(told(json!({})).await, Ok(None));
    assert_eq!(told(json!({"persistedQuery": null})).await, Ok(None));
    let hash = DocumentHash::of(TEXT).to_string();
    let other = json!({"persistedQuery": {"version": 2, "sha256Hash": hash}});
    assert_eq!(told(other).await, Err(Refused::NotSupported));
    for wrong in [
        json!("x"),
        json!({"sha256Hash": hash}),
        json!({"version": "1", "sha256Hash": hash}),
        json!({"version": 1}),
        json!({"version": 1, "sha256Hash": 7}),
        json!({"version": 1, "sha256Hash": "é".repeat(32)}),
        json!({"version": 1, "sha256Hash": &hash[1..]}),
        json!({"version": 1, "sha256Hash": format!("+{}", &hash[1..])}),
    ] {
        assert_eq!(told(json!({"persistedQuery": wrong})).await, Err(Refused::Malformed), "{wrong}");
    }
}

#[test]
fn a_document_id_is_a_prefixed_hash() {
    let hash = DocumentHash::of("");
    let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hash.to_string(), hex);
    assert_eq!(DocumentHash::of_document_id(&format!("sha256:{hex}")), Some(hash));
    assert_eq!(DocumentHash::of_document_id(&format!("sha256:{}", hex.to_uppercase())), Some(hash));
    for other in [hex, "x-viewer", "md5:0", "sha256:", "sha256:e3b0"] {
        assert_eq!(DocumentHash::of_document_id(other), None, "{other}");
    }
}
